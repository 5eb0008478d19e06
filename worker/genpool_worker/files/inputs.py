"""Input files of a task: fetched from where the task says, checked by their own bytes, given to ComfyUI."""

from __future__ import annotations

import io
import threading
from concurrent.futures import Future, wait
from contextvars import copy_context
from dataclasses import dataclass

from genpool_core import egress_policy, timing
from genpool_core.data_uri import is_data_uri, read_data_uri
from genpool_core.errors import RefusedInput
from genpool_core.image_types import IMAGE_NAMES
from genpool_core.tasks.check import ValidatedTask
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.context import WorkerContext
from genpool_worker.errors import HandBack
from genpool_worker.files import image, stored

#: Decoded, such a picture takes 800 MB; what claims more is refused before ComfyUI tries.
MAX_PIXELS = 200_000_000


@dataclass(frozen=True)
class InputFile:
    """A fetched file."""

    filename: str
    content_type: str
    data: bytes


def fetch(context: WorkerContext, task: ValidatedTask, task_key: str) -> dict[str, InputFile]:
    """All input files of a task, by parameter.

    Raises
    ------
    RefusedInput
        One must not be fetched, is too large or is no image.
    AttemptFailed
        One could not be fetched; a later attempt may.
    HandBack
        A drain's time is over, however long the host takes.
    Cancelled
        The task was; what is being fetched is left behind.
    """
    files: dict[str, InputFile] = {}
    for name, url in task.files.items():
        inline, most = is_data_uri(url), context.config.max_input_bytes
        data = read_data_uri(name, url, most).data if inline else _fetched(context, url)
        files[name] = _checked(context, name, name if inline else url, data)
    for name, key in task.uploads.items():
        what = f"the upload {key.rpartition('/')[2]}"
        files[name] = _checked(context, name, what, stored.upload(context, key))
    for name, digest in task.inputs.items():
        files[name] = _checked(context, name, name, stored.own_input(context, task_key, digest, name))
    return files


def _checked(context: WorkerContext, name: str, what: str, data: bytes) -> InputFile:
    context.metrics.moved("input", len(data))
    found = check(what, data)
    return InputFile(f"{name}{found.suffix}", found.content_type, data)


def _fetched(context: WorkerContext, url: str) -> bytes:
    """One file, by a thread of its own: a name server or a host that hangs is left behind when the pod must go."""
    fetched: Future[bytes] = Future()

    def run() -> None:
        try:
            fetched.set_result(context.fetcher.fetch(url, context.config.max_input_bytes))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            fetched.set_exception(error)

    threading.Thread(target=copy_context().run, args=(run,), name="fetch", daemon=True).start()
    while not wait([fetched], timing.CANCEL_TICK_SECONDS).done:
        context.cancellation.check()
        if context.drain.overdue:
            raise HandBack("the pod must go before an input is there.")
    return fetched.result()


def upload(
    context: WorkerContext, retry: ComfyUIRetry, files: dict[str, InputFile], subfolder: str
) -> dict[str, str]:
    """Give the files to ComfyUI; returns the name of each for the graph, as ComfyUI chose it."""
    names: dict[str, str] = {}
    for name, file in files.items():
        names[name] = retry.call(
            lambda file=file: context.comfyui.upload(subfolder, file.filename, file.data, file.content_type)  # type: ignore[misc]
        )
    return names


def check(what: str, data: bytes) -> image.ImageInfo:
    """That a file is a whole image of a sensible size. ``what``: its URL, or its name. Raises RefusedInput."""
    shown = egress_policy.redact(what) if "://" in what else what
    try:
        found = image.read(io.BytesIO(data), MAX_PIXELS)
    except image.BrokenImage as error:
        raise RefusedInput(f"{shown} is {error}: send a link to a whole image.") from None
    except image.ImageTooLarge as error:
        raise RefusedInput(
            f"{shown} has {error.width} by {error.height} pixels, more than {MAX_PIXELS:,}: send a smaller image."
        ) from None
    if found is None:
        raise RefusedInput(f"{shown} is no image: send a link to a {IMAGE_NAMES} file.")
    return found
