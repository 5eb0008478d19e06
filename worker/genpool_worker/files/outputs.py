"""Results: taken from ComfyUI, checked, put into the bucket."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from genpool_core.errors import AttemptFailed, StorageError
from genpool_core.image_types import IMAGE_TYPES
from genpool_core.ledger.records import Output
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.context import WorkerContext
from genpool_worker.errors import ComfyUIError, ComfyUIRefused, Refused
from genpool_worker.files import image
from genpool_worker.files.workdir import WorkDir
from genpool_worker.ports import OutputRef

T = TypeVar("T")
_log = structlog.get_logger(__name__)
#: 32,768 by 32,768, four times the largest that ComfyUI's own nodes make (``MAX_RESOLUTION``).
MAX_PIXELS = 1 << 30
_UNKNOWN_TYPE = "application/octet-stream"
#: How ComfyUI groups pictures: ``images``, ``a_images``, ``b_images``, ``gifs``.
_PICTURE_KINDS = ("images", "gifs")
_UNSAFE = re.compile(r"[^\w.()+@=-]+")
_CHUNK = 1 << 20


class _Call(Protocol):
    """Makes a call, once or again and again."""

    def __call__(self, action: Callable[[], T], /) -> T: ...


@dataclass(frozen=True)
class _Calls:
    """How calls to ComfyUI and to the store are made."""

    comfyui: _Call
    store: _Call


def _once(action: Callable[[], T]) -> T:
    return action()


@dataclass(frozen=True)
class Checked:
    """What a result is. ``width`` and ``height`` are pixels; None for what is no image of a known format."""

    content_type: str
    width: int | None = None
    height: int | None = None


class Collector:
    """Moves the results of one attempt into the bucket below ``prefix``, each once. ``on_stored`` is told of each."""

    def __init__(
        self, context: WorkerContext, workdir: WorkDir, prefix: str, on_stored: Callable[[Output], None]
    ) -> None:
        self._context = context
        self._workdir = workdir
        self._prefix = prefix
        self._on_stored = on_stored
        self._stored: dict[OutputRef, Output] = {}
        self._names: set[str] = set()
        self._takes_early = True

    def early(self, ref: OutputRef) -> None:
        """Store a result while its prompt still runs, in one try. Raises nothing of a failure.

        What cannot be stored now is left for :meth:`collect`, which judges it; and so is all that follows, since the
        run waits meanwhile.
        """
        if ref in self._stored or not self._takes_early:
            return
        try:
            self._store(ref, _Calls(_once, _once))
        except (AttemptFailed, StorageError, ComfyUIError, OSError) as error:
            self._takes_early = False
            _log.info("result_left_for_the_end", filename=ref.filename, node=ref.node, message=str(error))

    def collect(self, retry: ComfyUIRetry, refs: Sequence[OutputRef]) -> list[Output]:
        """Store all results that are not yet; the records in the order of ``refs``. What is no result is deleted.

        Raises
        ------
        AttemptFailed
            One is missing, empty, broken or too large, ComfyUI is gone, or the disk is full.
        HandBack
            A drain's time is over.
        Cancelled
            The task was.
        """
        for ref in refs:
            if ref in self._stored:
                continue
            try:
                self._store(ref, _Calls(retry.call, self._context.retry.until_stored))
            except OSError as error:
                raise AttemptFailed(
                    f"a result could not be written to the scratch volume ({error.strerror}): raise "
                    "comfyui.scratchSize.",
                    reason="ScratchFull",
                    retryable=True,
                ) from error
        self._delete(self._stored.keys() - set(refs))
        return [self._stored[ref] for ref in dict.fromkeys(refs)]

    def start_over(self) -> None:
        """The prompt runs again: nothing that was stored counts."""
        self._delete(self._stored.keys())
        self._names.clear()
        self._takes_early = True

    def _store(self, ref: OutputRef, calls: _Calls) -> None:
        name = unique_name(ref.filename, self._names)
        path = self._workdir.file(len(self._names))
        try:
            output = _one(self._context, calls, ref, path, f"{self._prefix}{name}")
        finally:
            path.unlink(missing_ok=True)
        self._names.add(name)
        self._stored[ref] = output
        self._on_stored(output)

    def _delete(self, refs: Iterable[OutputRef]) -> None:
        """Delete what was stored and will be in no end record; a later attempt's end sweeps what stays."""
        gone = [self._stored.pop(ref).key for ref in tuple(refs)]
        if not gone:
            return
        try:
            self._context.store.delete(gone)
        except StorageError as error:
            _log.info("results_not_deleted", reason=error.reason, count=len(gone))


def unique_name(filename: str, taken: set[str]) -> str:
    """A file name that is safe in keys and not taken yet; two nodes may save under one name in two folders."""
    safe = _UNSAFE.sub("_", filename).strip("._") or "file"
    stem, dot, suffix = safe.rpartition(".")
    candidates = (f"{stem}-{n}.{suffix}" if dot else f"{safe}-{n}" for n in range(2, len(taken) + 3))
    return safe if safe not in taken else next(name for name in candidates if name not in taken)


def _one(context: WorkerContext, calls: _Calls, ref: OutputRef, path: Path, key: str) -> Output:
    try:
        size = calls.comfyui(lambda: context.comfyui.download(ref, path))
    except ComfyUIRefused as error:
        raise AttemptFailed(
            f"ComfyUI lists {ref.filename} of node {ref.node} and does not return it: {error.message}",
            reason="OutputMissing",
            retryable=True,
        ) from error
    found = check(path, size, ref)
    checksum = _sha256(path)
    try:
        calls.store(lambda: context.store.put_file(key, path, found.content_type))
    except Refused as error:
        raise AttemptFailed(
            f"the store does not accept {ref.filename} of node {ref.node} ({size} bytes): {error.message}",
            reason="ResultRefused",
            retryable=False,
        ) from error
    context.metrics.moved("output", size)
    return Output(
        key=key,
        bucket=context.config.store.place,
        node=ref.node,
        kind=ref.kind,
        content_type=found.content_type,
        bytes=size,
        sha256=checksum,
        width=found.width,
        height=found.height,
    )


def check(path: Path, size: int, ref: OutputRef) -> Checked:
    """What a result of ``size`` bytes is: a picture by its bytes where it claims to be one, anything else by its name.

    Raises
    ------
    AttemptFailed
        It claims to be a picture and is not a whole one, or has more than ``MAX_PIXELS`` pixels; or it is empty and
        no text.
    """
    by_name, _ = mimetypes.guess_type(ref.filename)
    if size == 0 and not _is_text(by_name):
        raise _broken(ref, "is empty")
    found = _picture(path, ref) if _claims_picture(by_name, ref.kind) else None
    if found is not None:
        return Checked(found.content_type, found.width, found.height)
    if by_name in IMAGE_TYPES:
        raise _broken(ref, "is not what its name says")
    return Checked(by_name or _UNKNOWN_TYPE)


def _claims_picture(by_name: str | None, kind: str) -> bool:
    """By its name; without a type that is known by ComfyUI's kind. A text may begin as a picture does: "BMW"."""
    if by_name in {None, _UNKNOWN_TYPE}:
        return kind.endswith(_PICTURE_KINDS)
    return by_name is not None and by_name.startswith("image/")


def _is_text(by_name: str | None) -> bool:
    return by_name is not None and (by_name.startswith("text/") or by_name == "application/json")


def _picture(path: Path, ref: OutputRef) -> image.ImageInfo | None:
    """What the bytes are; None for a format that is not known."""
    try:
        with path.open("rb") as file:
            return image.read(file, MAX_PIXELS)
    except image.BrokenImage as error:
        raise _broken(ref, f"is {error}") from None
    except image.ImageTooLarge as error:
        raise AttemptFailed(
            f"result {ref.filename} of node {ref.node} has {error.width} by {error.height} pixels, more than "
            f"{MAX_PIXELS:,}: let the workflow make a smaller image.",
            reason="OutputTooLarge",
            retryable=False,
        ) from None


def _broken(ref: OutputRef, what: str) -> AttemptFailed:
    return AttemptFailed(
        f"result {ref.filename} of node {ref.node} {what}: ComfyUI's disk may be full.",
        reason="BrokenOutput",
        retryable=True,
    )


def _sha256(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()
