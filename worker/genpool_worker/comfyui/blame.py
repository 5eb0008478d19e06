"""Whose fault it is that a prompt was refused or a node failed: the task's, or the pool's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from genpool_core.jsontypes import JsonObject
from genpool_core.workflow.lacks import MODEL_MISSING, NODE_MISSING, Lack, model_files, upstream
from genpool_core.workflow.render import origin
from genpool_worker.errors import InputFault, NodeFailed, PromptRefused

Places = Collection[tuple[str, str]]
"""Inputs as (node id, name)."""
SHOWN = 3
#: What readers of model files say of one that is broken or of another kind: safetensors, torch, pickle.
_BROKEN_MODEL = (
    *("safetensorerror", "pytorchstreamreader", "unpicklingerror", "invalid load key", "ran out of input"),
    *("error(s) in loading state_dict", "filenotfounderror", "could not detect model type"),
    *("eoferror", "struct.error"),
)
_ADVICE: Mapping[str, str] = {
    NODE_MISSING: "install its node pack in the image",
    MODEL_MISSING: "put the file into the folder of its kind in the models volume",
}


def places_of(failure: PromptRefused | NodeFailed, graph: JsonObject) -> tuple[InputFault, ...]:
    """Where a task would have had a part in a failure; empty where no task of the workflow could.

    A node may fail because of anything that comes before it, but for one that cannot read its model file: that is about
    the file.
    """
    if isinstance(failure, PromptRefused):
        return failure.faults
    node = origin(graph, failure.node)
    if files := _unreadable_files(failure, model_files(graph, node)):
        return files
    nodes = upstream(graph, [node]) if node in graph else graph.keys()
    return tuple(InputFault(item) for item in nodes)


def _unreadable_files(failure: NodeFailed, files: Mapping[str, str]) -> tuple[InputFault, ...]:
    """The inputs that name a model file which could not be read; ``files``: the node's, by input."""
    error = failure.error.lower()
    broken = any(word in error for word in _BROKEN_MODEL)
    return tuple(
        InputFault(failure.node, name)
        for name, file in files.items()
        if broken or file.replace("\\", "/").rpartition("/")[2].lower() in error
    )


def touches(own: Places, faults: Sequence[InputFault]) -> bool:
    """Whether a fault is at one of these inputs."""
    nodes = {node for node, _ in own}
    return any((fault.node, fault.input) in own if fault.input else fault.node in nodes for fault in faults)


def lack_sentence(name: str, lacks: Sequence[Lack]) -> str:
    """What ComfyUI lacks for the workflow ``name``, and what to do."""
    shown = ", ".join(str(lack) for lack in lacks[:SHOWN])
    more = f", and {len(lacks) - SHOWN} more" if len(lacks) > SHOWN else ""
    advice = " and ".join(dict.fromkeys(_ADVICE[lack.reason] for lack in lacks))
    return f"Workflow {name}: ComfyUI lacks {shown}{more}: {advice}, or correct the workflow."


def failure_sentence(name: str, failure: PromptRefused | NodeFailed) -> str:
    """The same for what ComfyUI said of a prompt."""
    advice = "Correct the workflow, the image, or the file that it names."
    message = failure.message if failure.message.endswith((".", "…")) else f"{failure.message}."
    return f"Workflow {name}: {message} No task had a part in that. {advice}"
