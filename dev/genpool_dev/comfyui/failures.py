"""How a node's failure reads: the fields of `execution_error`."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from genpool_dev.comfyui.run import NodeFault
from genpool_dev.comfyui.vram import OutOfMemoryError
from genpool_dev.comfyui.wire import Json, is_link

if TYPE_CHECKING:
    from collections.abc import Sequence

_OOM_TIPS = (
    "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before "
    "you might have accidentally set the batch_size to a large number."
)
_TORCH_TRACEBACK = [
    '  File "/opt/ComfyUI/execution.py", line 524, in execute\n    ...\n',
    '  File "/opt/ComfyUI/nodes.py", line 1559, in sample\n    ...\n',
    '  File "/opt/ComfyUI/comfy/samplers.py", line 1163, in sample\n    ...\n',
    '  File "/opt/venv/lib/python3.12/site-packages/torch/nn/modules/linear.py", line 125\n',
]


def is_out_of_memory(error: Exception) -> bool:
    """Whether this error stands for torch's out-of-memory error."""
    return isinstance(error, OutOfMemoryError)


def type_name(error: Exception) -> str:
    """Return `exception_type`: module and name, as ComfyUI writes it."""
    if isinstance(error, OutOfMemoryError):
        return "torch.OutOfMemoryError"
    if isinstance(error, NodeFault):
        return "RuntimeError"
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def details(error: Exception, node: Json, current_outputs: Sequence[str]) -> Json:
    """Return the exception fields, the node's plain inputs and the nodes that had results."""
    torch_error = isinstance(error, NodeFault | OutOfMemoryError)
    tips = _OOM_TIPS if is_out_of_memory(error) else ""
    return {
        "exception_message": f"{error}\n{tips}",
        "exception_type": type_name(error),
        "traceback": _TORCH_TRACEBACK if torch_error else traceback.format_tb(error.__traceback__),
        "current_inputs": {name: [value] for name, value in node["inputs"].items() if not is_link(value)},
        "current_outputs": list(current_outputs),
    }
