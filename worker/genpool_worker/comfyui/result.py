"""What ComfyUI's answers mean for a task. Pure: from its JSON to outputs, or to a failure with a reason."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping, Sequence

from genpool_core.errors import AttemptFailed
from genpool_core.ledger.records import FailedNode
from genpool_core.one_line import one_line
from genpool_worker.comfyui_json import (
    Fault,
    HistoryEntry,
    HistoryStatus,
    NodeErrors,
    OutputFile,
    PromptRefusal,
    StatusMessage,
)
from genpool_worker.errors import ComfyUIRefused, FailedAtNode, InputFault, NodeFailed, PromptRefused
from genpool_worker.ports import OutputRef

MAX_MESSAGE = 500
MAX_NAME = 200
_BAD_REQUEST = 400
_TOO_LARGE = 413
#: Errors that say by their class that memory ran out: Python's, NumPy's, and those of torch's devices.
_MEMORY_CLASSES = ("MemoryError", "OutOfMemoryError")
#: What the general ones say when it did. An error of another class that holds such words is about something else.
_MEMORY = (
    *("out of memory", "allocation on device", "can't allocate memory", "cannot allocate memory"),
    *("not enough memory", "alloc_failed"),
)
#: The pod's volumes, not the task, by the number of the system's error; another pod may do it.
_SYSTEM_CLASSES = ("OSError", "PermissionError")
_ERRNO = re.compile(r"\[errno (\d{1,4})\]")
_VOLUMES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "ScratchFull"),
    **dict.fromkeys((errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ESTALE), "VolumeFailed"),
}
#: Types of refusals that are about the graph and not about an input. The first is 0.3.64's, for a missing class.
_WHOLE_GRAPH = ("invalid_prompt", "missing_node_type", "prompt_no_outputs")
#: Types of faults whose input is not where the fault is.
_ANY_INPUT = ("custom_validation_failed", "exception_during_")
#: The card or its driver, not the task: another pod may do it.
_DEVICE = ("cuda error", "cudnn", "cublas", "hip error", "nvml", "device-side assert")


def refused(error: ComfyUIRefused) -> AttemptFailed:
    """The failure behind an answer to ``POST /prompt`` that was no success."""
    if error.status == _TOO_LARGE:
        return AttemptFailed("ComfyUI takes no prompt of this size.", reason="InvalidPrompt", retryable=False)
    if error.status != _BAD_REQUEST:
        return AttemptFailed(error.message, reason="ComfyUIError", retryable=True)
    refusal = PromptRefusal.read_object(error.body)
    found = list(_node_messages(refusal.node_errors))
    text = "; ".join(found) or _fault(refusal.error) or "no reason was given"
    message = _cut(f"ComfyUI refused the prompt: {text}")
    if found or refusal.error.type in _WHOLE_GRAPH:
        return _prompt_refused(message, refusal.node_errors)
    return AttemptFailed(message, reason="InvalidPrompt", retryable=False)


def dropped_outputs(node_errors: NodeErrors) -> AttemptFailed:
    """The failure behind a prompt that was accepted without some of its outputs."""
    text = "; ".join(_node_messages(node_errors))
    message = _cut(f"ComfyUI would leave out a part of the result: {text}")
    return _prompt_refused(message, node_errors)


def _prompt_refused(message: str, node_errors: NodeErrors) -> PromptRefused:
    first = next(iter(node_errors.items()), None)
    at = None if first is None else _node(first[0], first[1].class_type)
    return PromptRefused(message, _input_faults(node_errors), at=at)


def outputs_of(entry: HistoryEntry) -> list[OutputRef]:
    """Result files of a history entry, in order of nodes.

    Raises
    ------
    AttemptFailed
        The run failed, was interrupted, or left no file.
    """
    if entry.status.status_str != "success":
        raise _run_failure(entry.status)
    refs = sorted(left_behind(entry), key=lambda ref: (len(ref.node), ref.node))
    results = [ref for ref in refs if ref.type == "output"]
    if not results:
        raise AttemptFailed(
            "the workflow ran and saved no file: it needs a node that saves, such as SaveImage.",
            reason="NoOutput",
            retryable=False,
        )
    return results


def check_own(entry: HistoryEntry, results: Sequence[OutputRef], folder: str) -> None:
    """That this run made its results.

    ComfyUI answers from its cache with the names of files that an earlier run wrote. They may be gone, or another
    task may have written them since. Only what lies in ``folder``, the attempt's own, cannot be of another run.

    Raises
    ------
    AttemptFailed
        A result came from the cache.
    """
    messages = (item for item in entry.status.messages if item.kind == "execution_cached")
    cached = {node_id for item in messages for node_id in item.data.nodes}
    for ref in results:
        own = ref.subfolder == folder or ref.subfolder.startswith(f"{folder}/")
        if ref.node in cached and not own:
            raise AttemptFailed(
                f"ComfyUI answered for node {ref.node} from its cache, with {ref.filename} of an earlier run: let the "
                "node save under filename_prefix.",
                reason="OutputMissing",
                retryable=True,
            )


def left_behind(entry: HistoryEntry) -> list[OutputRef]:
    """Every file that a history entry names, previews too, so that they can be deleted."""
    return [ref for node, kinds in entry.outputs.items() for ref in refs_of(node, kinds)]


def refs_of(node: str, kinds: Mapping[str, Sequence[OutputFile]]) -> list[OutputRef]:
    """The files among a node's outputs, which ComfyUI groups by kind."""
    return [
        OutputRef(node, kind, file.filename, file.subfolder, str(file.type or "output"))
        for kind, files in kinds.items()
        for file in files
        if file.filename is not None
    ]


def _run_failure(status: HistoryStatus) -> AttemptFailed:
    # Error and interruption look alike but for the last message.
    last = next((message for message in reversed(status.messages) if message.kind), StatusMessage())
    if last.kind == "execution_interrupted":
        return AttemptFailed("somebody interrupted the run in ComfyUI.", reason="Interrupted", retryable=True)
    where = f"node {last.data.node_id} ({last.data.node_type})"
    exception = _join(last.data.exception_type, last.data.exception_message)
    text = f"{where} failed: {exception or 'no reason was given'}"
    reason = _reason(last.data.exception_type, last.data.exception_message.lower())
    at = _node(last.data.node_id, last.data.node_type, last.data.exception_type)
    if reason == "NodeFailed":
        node, class_type = last.data.node_id, last.data.node_type
        return NodeFailed(_cut(text), node=node, class_type=class_type, error=exception, at=at)
    return FailedAtNode(_cut(text), reason=reason, retryable=True, at=at)


def _node(node_id: str, class_type: str, exception_type: str = "") -> FailedNode:
    """Where a run failed; a graph of a task's own may have ids and classes of any length."""
    return FailedNode(
        node_id=one_line(node_id, MAX_NAME),
        class_type=one_line(class_type, MAX_NAME),
        exception_type=one_line(exception_type, MAX_NAME) or None,
    )


def _reason(exception_type: str, lowered: str) -> str:
    """Why a node failed, by the error's class, and by its words where the class says only that something failed.

    Torch and the system raise RuntimeError, OSError and torch's own classes for memory and devices.
    """
    module, _, name = exception_type.rpartition(".")
    if name.endswith(_MEMORY_CLASSES):
        return "OutOfMemory"
    if name in _SYSTEM_CLASSES and (number := _ERRNO.match(lowered)) is not None:
        reason = _VOLUMES.get(int(number[1]))
        if reason is not None:
            return reason
    if name not in {"RuntimeError", "OSError"} and module.partition(".")[0] != "torch":
        return "NodeFailed"
    if any(word in lowered for word in _MEMORY):
        return "OutOfMemory"
    return "DeviceFailed" if any(word in lowered for word in _DEVICE) else "NodeFailed"


def _node_messages(node_errors: NodeErrors) -> Iterator[str]:
    """One sentence for each fault of each node."""
    for node_id, faults in node_errors.items():
        for fault in faults.errors:
            yield f"node {node_id} ({faults.class_type}): {_fault(fault)}"


def _input_faults(node_errors: NodeErrors) -> tuple[InputFault, ...]:
    """Where the faults are. A check of a node's own names all its inputs, and one that crashed names another node's."""
    return tuple(
        InputFault(node_id, "" if fault.type.startswith(_ANY_INPUT) else fault.extra_info.input_name)
        for node_id, faults in node_errors.items()
        for fault in faults.errors or (Fault(),)
    )


def _fault(fault: Fault) -> str:
    return _join(fault.message, fault.details)


def _join(*parts: str) -> str:
    return ": ".join(part.strip() for part in parts if part.strip())


def _cut(text: str) -> str:
    return one_line(text, MAX_MESSAGE)
