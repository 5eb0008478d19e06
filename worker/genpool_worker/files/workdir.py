"""The files of one attempt: in the folders that ComfyUI writes, and the worker's own; how they are taken away again."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from genpool_core.podlayout import OWN_FOLDER
from genpool_worker.files.no_links import remove_file, remove_tree
from genpool_worker.ports import OutputRef

_log = structlog.get_logger(__name__)
#: Everything of ours lies below this in ``input`` and ``output``.
ROOT = "genpool"
#: Where a named file can be. ComfyUI makes a folder ``temp`` of its own in its temp directory.
_ROOM_BYTES = 16 << 20
_PLACES = {"output": ("output",), "temp": ("temp", "temp/temp")}


class WorkDir:
    """Folders of one attempt. ``name`` is the subfolder in ComfyUI's ``input`` and the prefix in its ``output``."""

    def __init__(self, scratch: Path, label: str) -> None:
        self._scratch = scratch
        self.name = f"{ROOT}/{label}"
        # ComfyUI does not mount this one: what was checked stays what is stored.
        self._own = scratch / OWN_FOLDER / label
        self._label = label

    def file(self, index: int) -> Path:
        """A place for the worker's own copy of a result.

        Raises
        ------
        OSError
            The folder cannot be made.
        """
        self._own.mkdir(parents=True, exist_ok=True)
        return self._own / str(index)

    def empty_output(self) -> None:
        """Take away what earlier runs saved, also late or at a path of their own. Never raises.

        So a file that is there after a run was saved by it.
        """
        _empty(self._scratch / "output")

    def clean(self, refs: Iterable[OutputRef]) -> None:
        """Take away all files of the attempt: ours, and those that ComfyUI's history names. Never raises."""
        self.empty_output()
        _remove(remove_tree, self._scratch / OWN_FOLDER, self._label)
        _remove(remove_tree, self._scratch / "input", self.name)
        for ref in refs:
            for folder in _PLACES.get(ref.type, ()):
                _remove(remove_file, self._scratch, f"{folder}/{ref.subfolder}/{ref.filename}")


def scratch_trouble(scratch: Path) -> tuple[str, str] | None:
    """Why no task can leave its files on the scratch volume: reason and sentence; None where it can."""
    probe = scratch / OWN_FOLDER / ".probe"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
        room = os.statvfs(scratch)
    except OSError as error:
        reason = "ScratchFull" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "VolumeFailed"
        return (
            reason,
            f"the scratch volume {scratch} cannot be written ({error.strerror}): look at the node's disk.",
        )
    free = room.f_bavail * room.f_frsize
    if free >= _ROOM_BYTES:
        return None
    return "ScratchFull", (
        f"the scratch volume {scratch} has {free >> 20} MiB left, and a task needs {_ROOM_BYTES >> 20}: the disk of "
        "the node is full, or comfyui.scratchSize is too small."
    )


def clean_leftovers(scratch: Path) -> None:
    """At start: what a worker before us in this pod left behind. Never raises."""
    _empty(scratch / "output")
    _remove(remove_tree, scratch / "input", ROOT)
    for left in (scratch / OWN_FOLDER).glob("*"):
        _remove(remove_tree, left.parent, left.name)


def _empty(folder: Path) -> None:
    """Remove what lies in a folder. No result begins with a dot: such files are left."""
    try:
        found = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("files_not_removed", folder=str(folder), reason=error.strerror)
        return
    for name in found:
        _remove(remove_tree, folder, name)


def _remove(remove: Callable[[Path, str], None], root: Path, below: str) -> None:
    try:
        remove(root, below)
    except OSError as error:
        _log.warning("files_not_removed", folder=str(root / below), reason=error.strerror)
