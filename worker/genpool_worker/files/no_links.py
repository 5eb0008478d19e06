"""Taking files away in folders that ComfyUI writes, without following a link that was put there.

What runs in ComfyUI may put a link or a pipe anywhere, or swap a folder for a link at any moment: ``output/genpool`` as
a link to a folder of the worker's, which would then be emptied. So every folder of a path is opened by its name in the
one before it, and only as a folder; what is taken away is named in its opened folder, and never opened itself.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Each level holds a file descriptor.
MAX_DEPTH = 64


def remove_tree(root: Path, below: str) -> None:
    """Take away what lies at the path ``below``, in ``root``, with all that is in it; of a link the link itself.

    Nothing happens where there is none. ``root`` itself may be a link: it is a volume's mount point.

    Raises
    ------
    OSError
        On the way lies a link or something else than a folder, the path leads out of ``root``, the tree is deeper than
        ``MAX_DEPTH``, or something cannot be removed.
    """
    try:
        with _parent(root, below) as (folder, name):
            _remove(folder, name, MAX_DEPTH)
    except FileNotFoundError:
        return


def remove_file(root: Path, below: str) -> None:
    """The same for one file, pipe, device or link; a folder is no such (IsADirectoryError)."""
    try:
        with _parent(root, below) as (folder, name):
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


@contextmanager
def _parent(root: Path, below: str) -> Iterator[tuple[int, str]]:
    """The opened folder that a path's last part is in, and that part."""
    parts = PurePosixPath(below).parts
    if not parts or below.startswith("/") or ".." in parts or "\0" in below:
        raise OSError(errno.EXDEV, "the path is no path in its folder", below)
    *folders, name = parts
    with ExitStack() as opened:
        found = _open(opened, os.fspath(root), None, flags=_FOLDER & ~os.O_NOFOLLOW)
        for part in folders:
            found = _open(opened, part, found)
        yield found, name


def _remove(folder: int, name: str, levels: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        pass
    else:
        return
    if levels == 0:
        raise OSError(errno.ENAMETOOLONG, "folders within folders without end", name)
    with ExitStack() as opened:
        inner = _open(opened, name, folder)
        for entry in os.listdir(inner):  # noqa: PTH208 - of an opened folder, not of a path
            _remove(inner, entry, levels - 1)
    os.rmdir(name, dir_fd=folder)


def _open(opened: ExitStack, name: str, folder: int | None, flags: int = _FOLDER) -> int:
    descriptor = os.open(name, flags, dir_fd=folder)
    opened.callback(os.close, descriptor)
    return descriptor
