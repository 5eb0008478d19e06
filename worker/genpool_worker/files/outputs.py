"""Results: taken from ComfyUI, checked, put into the bucket."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genpool_core.errors import AttemptFailed
from genpool_core.ledger.records import Output
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.context import WorkerContext
from genpool_worker.errors import ComfyUIRefused, Refused
from genpool_worker.files import image
from genpool_worker.files.workdir import WorkDir
from genpool_worker.ports import OutputRef

#: 32,768 by 32,768, four times the largest that ComfyUI's own nodes make (``MAX_RESOLUTION``).
MAX_PIXELS = 1 << 30
_UNKNOWN_TYPE = "application/octet-stream"
#: How ComfyUI groups pictures: ``images``, ``a_images``, ``b_images``, ``gifs``.
_PICTURE_KINDS = ("images", "gifs")
_UNSAFE = re.compile(r"[^\w.()+@=-]+")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Checked:
    """What a result is. ``width`` and ``height`` are pixels; None for what is no image of a known format."""

    content_type: str
    width: int | None = None
    height: int | None = None


def collect(
    context: WorkerContext, retry: ComfyUIRetry, refs: Sequence[OutputRef], workdir: WorkDir, prefix: str
) -> list[Output]:
    """Move all results into the bucket below ``prefix``; the records in the order of ``refs``.

    Raises
    ------
    AttemptFailed
        One is missing, empty, broken or too large, ComfyUI is gone, or the disk is full.
    HandBack
        A drain's time is over.
    """
    outputs: list[Output] = []
    names: set[str] = set()
    for index, ref in enumerate(refs):
        name = unique_name(ref.filename, names)
        names.add(name)
        try:
            path = workdir.file(index)
            outputs.append(_one(context, retry, ref, path, f"{prefix}{name}"))
            path.unlink()
        except OSError as error:
            raise AttemptFailed(
                f"a result could not be written to the scratch volume ({error.strerror}): raise comfyui.scratchSize.",
                reason="ScratchFull",
                retryable=True,
            ) from error
    return outputs


def unique_name(filename: str, taken: set[str]) -> str:
    """A file name that is safe in keys and not taken yet; two nodes may save under one name in two folders."""
    safe = _UNSAFE.sub("_", filename).strip("._") or "file"
    stem, dot, suffix = safe.rpartition(".")
    candidates = (f"{stem}-{n}.{suffix}" if dot else f"{safe}-{n}" for n in range(2, len(taken) + 3))
    return safe if safe not in taken else next(name for name in candidates if name not in taken)


def _one(context: WorkerContext, retry: ComfyUIRetry, ref: OutputRef, path: Path, key: str) -> Output:
    try:
        size = retry.call(lambda: context.comfyui.download(ref, path))
    except ComfyUIRefused as error:
        raise AttemptFailed(
            f"ComfyUI lists {ref.filename} of node {ref.node} and does not return it: {error.message}",
            reason="OutputMissing",
            retryable=True,
        ) from error
    found = check(path, size, ref)
    checksum = _sha256(path)
    try:
        context.retry.until_stored(lambda: context.store.put_file(key, path, found.content_type))
    except Refused as error:
        raise AttemptFailed(
            f"the store does not accept {ref.filename} of node {ref.node} ({size} bytes): {error.message}",
            reason="ResultRefused",
            retryable=False,
        ) from error
    context.metrics.moved("output", size)
    return Output(
        key=key,
        bucket=context.config.s3.bucket,
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
    if by_name in image.KNOWN_TYPES:
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
