"""The object store in a folder of one machine, for ``genpool local``.

A put has happened when it returns: file and directories are on the disk. Whoever reads a record has the disk keep its
name first, so nobody decides by what a power failure could take back.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genpool_adapters.objectstore.draft import Draft, sweep
from genpool_adapters.objectstore.port import JSON, Beginning, Put, Stored
from genpool_adapters.objectstore.tree import Tree, parts_of, prune, sync
from genpool_core.errors import StorageError

#: Without waiting: a named pipe in the folder would hold up its reader for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20


@dataclass(frozen=True)
class OpenFile:
    """A file that is open for reading. Whoever has it closes ``descriptor``."""

    descriptor: int
    size: int
    written: float
    """When it was written last, in seconds of the epoch."""
    number: int
    """Tells it from the file that had its name before."""


class FolderStore:
    """Implements ``port.ObjectStore`` for several threads and processes of one machine."""

    def __init__(self, root: Path) -> None:
        self._tree = Tree(root)
        self._lock = threading.Lock()
        self._swept = False

    def keys(self, prefix: str) -> list[str]:
        """All keys that begin so, in the order of their characters."""
        with self._tree.translated():
            return sorted(self._tree.walk(prefix))

    def get(self, key: str) -> Stored | None:
        """An object, or None."""
        file = self.open(key)
        if file is None:
            return None
        with self._tree.translated(), os.fdopen(file.descriptor, "rb") as readable:
            return Stored(readable.read(), max(0.0, time.time() - file.written))

    def beginning(self, key: str, size: int) -> Beginning | None:
        """How an object begins, or None."""
        file = self.open(key)
        if file is None:
            return None
        with self._tree.translated(), os.fdopen(file.descriptor, "rb") as readable:
            return Beginning(readable.read(size), file.size)

    def open(self, key: str) -> OpenFile | None:
        """A file to read, or None. It stays as it is, whatever becomes of its name."""
        *directories, name = parts_of(key)
        with (
            self._tree.translated(),
            suppress(FileNotFoundError),
            self._tree.opened(directories) as opened,
        ):
            descriptor = os.open(name, _READ, dir_fd=opened[-1])
            try:
                found = os.fstat(descriptor)
                if stat.S_ISREG(found.st_mode):
                    sync(opened)
                    return OpenFile(descriptor, found.st_size, found.st_mtime, found.st_ino)
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)
            if not stat.S_ISDIR(found.st_mode):
                raise StorageError(
                    f"folder {self._tree.root} cannot be used: {key} is no file: take it away."
                )
        return None

    def create(self, key: str, data: bytes) -> Put:
        """Put only where there is none."""
        with self.draft(key) as draft:
            draft.write(data)
            return draft.create()

    def put(self, key: str, data: bytes, content_type: str = JSON) -> None:  # noqa: ARG002 - names have suffixes
        """Put an object."""
        with self.draft(key) as draft:
            draft.write(data)
            draft.replace()

    def put_soon(self, key: str, data: bytes) -> None:
        """Put an object. A disk gives no choice of how long it may take."""
        self.put(key, data)

    def put_file(self, key: str, path: Path, content_type: str) -> None:  # noqa: ARG002 - names have suffixes
        """Put a file. Its type is not kept: the gateway tells it by the name."""
        with self.draft(key) as draft, path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                draft.write(chunk)
            draft.replace()

    def draft(self, key: str) -> Draft:
        """A file for this key that nobody sees before it is named."""
        parts = parts_of(key)
        with self._lock:
            due, self._swept = not self._swept, True
        if due:
            sweep(self._tree)
        return Draft(self._tree, parts)

    def delete(self, keys: list[str]) -> None:
        """Delete objects, and the directories that are empty then."""
        for key in keys:
            *directories, name = parts_of(key)
            with (
                self._tree.translated(),
                suppress(FileNotFoundError),
                self._tree.opened(directories) as opened,
            ):
                # A directory of this name is no object.
                with suppress(IsADirectoryError):
                    os.unlink(name, dir_fd=opened[-1])
                    os.fsync(opened[-1])
                prune(opened, directories)

    def sign(self, key: str) -> str | None:  # noqa: ARG002 - the port's
        """None: the gateway has the keys that sign links to files."""
        return None
