"""The result pictures: fetched from the bucket, decoded, measured, kept in a folder."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from genpool_core.ledger.records import EndRecord
from genpool_dev.demo.plan import Size
from genpool_dev.stack.bucket import Bucket

_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Wanted:
    """A task's end, and what its one picture must be."""

    end: EndRecord
    size: Size
    label: str
    """Head of the file's name."""


def fetch(bucket: Bucket, wanted: Sequence[Wanted], folder: Path) -> list[str]:
    """Fetch every picture into ``folder`` and return what is wrong with them, a sentence each."""
    if wanted:
        folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    for number, item in enumerate(wanted, start=1):
        outputs = item.end.outputs
        if len(outputs) != 1:
            faults.append(f"task {item.end.task_id} has {len(outputs)} output files, not 1")
        for output in outputs:
            content = bucket.read(output.key)
            (folder / file_name(number, item.label, output.key)).write_bytes(content)
            fault = picture_fault(content, item.size)
            if fault:
                faults.append(f"{output.key}: {fault}")
    return faults


def give_to(owner: tuple[int, int] | None, folder: Path) -> None:
    """Make a folder and its files those of ``owner`` (user and group id), also the folder above, which is ours too."""
    if owner is not None and folder.exists():
        for path in (folder.parent, folder, *folder.iterdir()):
            os.chown(path, *owner)


def asking_user(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """User and group id of the person behind sudo, or None where there was no sudo. Pure."""
    user, group = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    return (int(user), int(group)) if user.isdigit() and group.isdigit() else None


def picture_fault(content: bytes, size: Size) -> str | None:
    """What is wrong with a file that must be a PNG of ``size``, or None. Pure."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            form, seen = picture.format, picture.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        return f"cannot be decoded ({error})"
    if form != "PNG":
        return f"is {form}, not PNG"
    if seen != size:
        return f"is {seen[0]}x{seen[1]}, not {size[0]}x{size[1]}"
    return None


def file_name(number: int, label: str, key: str) -> str:
    """Name of a file in the folder: number, what it is of, and the ending of the object. Pure."""
    stem = _NAME.sub("-", label).strip("-")[:60] or "task"
    return f"{number:02d}-{stem}{Path(key).suffix or '.bin'}"
