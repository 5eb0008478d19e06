"""The files of one attempt in the folders that worker and ComfyUI share, and how they are taken away again."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import structlog

from genpool_worker.ports import OutputRef

_log = structlog.get_logger(__name__)
#: Everything of ours lies below this in ``input`` and ``output``.
ROOT = "genpool"
_OWN_TEMP = "genpool-worker"


class WorkDir:
    """Folders of one attempt. ``name`` is the subfolder in ComfyUI's ``input`` and the prefix in its ``output``."""

    def __init__(self, scratch: Path, label: str) -> None:
        self._scratch = scratch
        self.name = f"{ROOT}/{label}"
        self._own = scratch / "temp" / _OWN_TEMP / label

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
        for folder in (self._scratch / "input" / self.name, self._own):
            _remove_tree(folder)
        for ref in refs:
            for path in self._places(ref):
                _remove_file(path)

    def _places(self, ref: OutputRef) -> list[Path]:
        """Where a named file can be. ComfyUI makes a folder ``temp`` of its own in its temp directory."""
        roots = {
            "output": [self._scratch / "output"],
            "temp": [self._scratch / "temp", self._scratch / "temp" / "temp"],
        }.get(ref.type, [])
        paths = [(root, (root / ref.subfolder / ref.filename).resolve()) for root in roots]
        return [path for root, path in paths if path.is_relative_to(root.resolve())]


def clean_leftovers(scratch: Path) -> None:
    """At start: what a worker before us in this pod left behind. Never raises."""
    _empty(scratch / "output")
    for folder in (scratch / "input" / ROOT, scratch / "temp" / _OWN_TEMP):
        _remove_tree(folder)


def _empty(folder: Path) -> None:
    """Remove what lies in a folder, and follow no link out of it. No result begins with a dot: such files are left."""
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("files_not_removed", folder=str(folder), reason=error.strerror)
        return
    for path in found:
        if path.is_dir() and not path.is_symlink():
            _remove_tree(path)
        else:
            _remove_file(path)


def _remove_tree(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("files_not_removed", folder=str(folder), reason=error.strerror)


def _remove_file(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("files_not_removed", folder=str(path), reason=error.strerror)
