"""Keys as paths below a folder: checked, and walked directory by directory, so that no link is ever followed.

A part of a key is the name of a directory or file. So what people see in the folder is what the keys say; and a key
cannot be the beginning of another one's path (``a`` and ``a/b``), which no key of GenPool is.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from genpool_core.errors import Lasts, StorageError

#: Directory below the root for files that are not whole yet; no key begins with it.
STAGING = ".genpool-tmp"
_NAME_BYTES = 255
_KEY_BYTES = 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Not for other users of the machine; the umask may take more away.
_DIRECTORY_MODE = 0o750
_IN_THE_WAY = "a file or a link is where a directory must be, or the other way round: take it away"
_NOT_ALLOWED = (
    "this user may not do that there: give it the right to read and write, also in all folders below"
)
_NO_ROOM = "there is no room left: free some, or let retentionSeconds delete what is old"
#: What is over when somebody has made room.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SAID = {
    errno.ENOTDIR: _IN_THE_WAY,
    errno.ELOOP: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: f"{_NOT_ALLOWED}; or its file system has no hard links, and another one is needed",
    errno.EOPNOTSUPP: "its file system has no hard links: use a folder on another one, such as ext4 or XFS",
    errno.EROFS: "it is mounted read-only: mount it for writing",
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
}


def parts_of(key: str) -> tuple[str, ...]:
    """The names of a key's path.

    Raises
    ------
    StorageError
        It cannot be a path below the folder.
    """
    parts = tuple(key.split("/"))
    fault = _fault(key, parts)
    if fault is not None:
        raise StorageError(f"{key[:100]!r} is no key of a folder: {fault}.", lasts=Lasts.NEVER)
    return parts


def _fault(key: str, parts: Sequence[str]) -> str | None:
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "it is no Unicode text"
    if "\0" in key:
        return "it has a zero character"
    if not all(parts) or not {".", ".."}.isdisjoint(parts):
        return "one of its parts is empty, . or .."
    if parts[0] == STAGING:
        return f"{STAGING} is for files that are not whole yet"
    if max(sizes) > _NAME_BYTES or len(key.encode()) > _KEY_BYTES:
        return f"it has more than {_KEY_BYTES} bytes in UTF-8, or one of its parts more than {_NAME_BYTES}"
    return None


class Tree:
    """The directories below a root. Holds nothing open; used by many threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def translated(self) -> Iterator[None]:
        """With OSError as StorageError."""
        try:
            yield
        except OSError as error:
            said = (
                _SAID.get(error.errno or 0) or f"{error.strerror or type(error).__name__}: look at its disk"
            )
            refusal = error.errno in _SAID and error.errno not in _FULL
            raise StorageError(f"folder {self.root} cannot be used: {said}.", refusal=refusal) from error

    @contextmanager
    def opened(self, directories: Sequence[str], *, make: bool = False) -> Iterator[list[int]]:
        """The root and the directories to the last one, as file descriptors.

        Raises
        ------
        FileNotFoundError
            One is not there; with ``make``: it was deleted again at once.
        StorageError
            The root is not there.
        OSError
            Another trouble.
        """
        opened = [self._root()]
        try:
            for name in directories:
                opened.append(_open(name, opened[-1], make=make))
            yield opened
        finally:
            for one in opened:
                os.close(one)

    def walk(self, prefix: str) -> Iterator[str]:
        """The keys of files that begin so, in no order. Links are no files."""
        directory, slash, rest = prefix.rpartition("/")
        directories = parts_of(directory) if slash else ()
        with suppress(FileNotFoundError), self.opened(directories) as opened:
            yield from _files(opened[-1], f"{directory}{slash}", rest)

    def _root(self) -> int:
        try:
            return os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise StorageError(
                f"folder {self.root} does not exist: make it, or mount the disk that it is on.", refusal=True
            ) from None


def sync(opened: Sequence[int]) -> None:
    """Have the disk keep what is in these directories, the innermost first."""
    for one in reversed(opened):
        os.fsync(one)


def prune(opened: Sequence[int], directories: Sequence[str]) -> None:
    """Delete directories that are empty, from the innermost on."""
    for parent, name in zip(reversed(opened[:-1]), reversed(directories), strict=True):
        try:
            os.rmdir(name, dir_fd=parent)
        except OSError:
            # Something is in it, or another one was faster: then nothing is left to do above it either.
            return


def _open(name: str, parent: int, *, make: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, _DIRECTORY_MODE, dir_fd=parent)
    return os.open(name, _DIRECTORY, dir_fd=parent)


def _files(directory: int, before: str, begins: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        found = [entry for entry in entries if entry.name.startswith(begins)]
    for entry in found:
        key = f"{before}{entry.name}"
        if key == STAGING or not _is_text(key):
            continue
        if entry.is_file(follow_symlinks=False):
            yield key
        elif entry.is_dir(follow_symlinks=False):
            with suppress(FileNotFoundError):
                inner = os.open(entry.name, _DIRECTORY, dir_fd=directory)
                try:
                    yield from _files(inner, f"{key}/", "")
                finally:
                    os.close(inner)


def _is_text(name: str) -> bool:
    """Whether it is UTF-8; what is not was not written here."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
