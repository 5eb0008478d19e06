"""What ComfyUI's answers mean for a task. Pure: from its JSON to outputs, or to a failure with a reason."""

from __future__ import annotations

from collections.abc import Iterator

from genpool_core.errors import AttemptFailed
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_worker.errors import ComfyUIRefused
from genpool_worker.ports import OutputRef

MAX_MESSAGE = 500
_BAD_REQUEST = 400
_TOO_LARGE = 413
_MEMORY = ("outofmemory", "out of memory", "allocation on device")
#: The card or its driver, not the task: another pod may do it.
_DEVICE = ("cuda error", "cudnn", "cublas", "hip error", "nvml", "device-side assert")


def refused(error: ComfyUIRefused) -> AttemptFailed:
    """The failure behind an answer to ``POST /prompt`` that was no success."""
    if error.status == _TOO_LARGE:
        return AttemptFailed("ComfyUI takes no prompt of this size.", reason="InvalidPrompt", retryable=False)
    if error.status != _BAD_REQUEST:
        return AttemptFailed(error.message, reason="ComfyUIError", retryable=True)
    body = error.body if isinstance(error.body, dict) else {}
    failure = _dict(body.get("error"))
    found = list(_node_messages(_dict(body.get("node_errors"))))
    text = "; ".join(found) or _join(failure.get("message"), failure.get("details")) or "no reason was given"
    return AttemptFailed(_cut(f"ComfyUI refused the prompt: {text}"), reason="InvalidPrompt", retryable=False)


def dropped_outputs(node_errors: JsonObject) -> AttemptFailed:
    """The failure behind a prompt that was accepted without some of its outputs."""
    text = "; ".join(_node_messages(node_errors))
    return AttemptFailed(
        _cut(f"ComfyUI would leave out a part of the result: {text}"),
        reason="InvalidPrompt",
        retryable=False,
    )


def outputs_of(entry: JsonObject) -> list[OutputRef]:
    """Result files of a history entry, in order of nodes.

    Raises
    ------
    AttemptFailed
        The run failed, was interrupted, or left no file.
    """
    status = _dict(entry.get("status"))
    if status.get("status_str", "success") != "success":
        raise _run_failure(status)
    refs = sorted(_refs(_dict(entry.get("outputs"))), key=lambda ref: (len(ref.node), ref.node))
    results = [ref for ref in refs if ref.type == "output"]
    if not results:
        raise AttemptFailed(
            "the workflow ran and saved no file: it needs a node that saves, such as SaveImage.",
            reason="NoOutput",
            retryable=False,
        )
    return results


def left_behind(entry: JsonObject) -> list[OutputRef]:
    """Every file that a history entry names, previews too, so that they can be deleted."""
    return list(_refs(_dict(entry.get("outputs"))))


def _run_failure(status: JsonObject) -> AttemptFailed:
    kind, data = _last_message(status)
    if kind == "execution_interrupted":
        return AttemptFailed("somebody interrupted the run in ComfyUI.", reason="Interrupted", retryable=True)
    where = f"node {data.get('node_id', '?')} ({data.get('node_type', '?')})"
    exception = _join(data.get("exception_type"), data.get("exception_message"))
    text = f"{where} failed: {exception or 'no reason was given'}"
    lowered = exception.lower()
    if any(word in lowered for word in _MEMORY):
        return AttemptFailed(_cut(text), reason="OutOfMemory", retryable=True)
    if any(word in lowered for word in _DEVICE):
        return AttemptFailed(_cut(text), reason="DeviceFailed", retryable=True)
    return AttemptFailed(_cut(text), reason="NodeFailed", retryable=False)


def _last_message(status: JsonObject) -> tuple[str, JsonObject]:
    """Error and interruption look alike but for the last message."""
    messages = status.get("messages")
    for item in reversed(messages if isinstance(messages, list) else []):
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):  # noqa: PLR2004 - a pair
            return item[0], _dict(item[1])
    return "", {}


def _refs(outputs: JsonObject) -> Iterator[OutputRef]:
    for node, kinds in outputs.items():
        for kind, files in _dict(kinds).items():
            for file in files if isinstance(files, list) else []:
                ref = _ref(node, kind, file)
                if ref is not None:
                    yield ref


def _ref(node: str, kind: str, file: JsonValue) -> OutputRef | None:
    """A file; other things that nodes show (texts, flags) are none."""
    if not isinstance(file, dict) or not isinstance(file.get("filename"), str):
        return None
    return OutputRef(
        node=node,
        kind=kind,
        filename=str(file["filename"]),
        subfolder=str(file.get("subfolder") or ""),
        type=str(file.get("type") or "output"),
    )


def _node_messages(node_errors: JsonObject) -> Iterator[str]:
    """One sentence for each error of each node; ``extra_info`` stays out, it can hold paths of the server."""
    for node_id, entry in node_errors.items():
        class_type = _dict(entry).get("class_type", "?")
        errors = _dict(entry).get("errors")
        for error in errors if isinstance(errors, list) else []:
            text = _join(_dict(error).get("message"), _dict(error).get("details"))
            yield f"node {node_id} ({class_type}): {text}"


def _join(*parts: JsonValue) -> str:
    return ": ".join(str(part).strip() for part in parts if isinstance(part, str) and part.strip())


def _dict(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
