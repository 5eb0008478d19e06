"""A file of a folder that nobody sees before it is whole and on the disk.

It is written under a random name in a directory of the same file system. ``link(2)`` then gives it its own name only
where there is none, ``rename(2)`` wherever. A process that is killed leaves a file without a name of its own, which the
next one that writes deletes after a day.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from genpool_adapters.objectstore.port import Put
from genpool_adapters.objectstore.tree import STAGING, Tree, sync
from genpool_core import timing
from genpool_core.errors import StorageError

_T = TypeVar("_T")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o640
#: A directory may be deleted, as an empty one, between its opening and the new name in it.
_TRIES = 20


class Draft:
    """Used by one thread at a time, in a ``with``: what was not named by its end is deleted. Raises StorageError."""

    def __init__(self, tree: Tree, parts: Sequence[str]) -> None:
        self._tree = tree
        self._directories, self._name = tuple(parts[:-1]), parts[-1]
        self._staged = secrets.token_hex(16)
        with tree.translated(), tree.opened((STAGING,), make=True) as opened:
            self._staging = os.dup(opened[-1])
            try:
                self._file = os.open(self._staged, _NEW, _MODE, dir_fd=self._staging)
            except OSError:
                os.close(self._staging)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with self._tree.translated(), suppress(FileNotFoundError):
                os.unlink(self._staged, dir_fd=self._staging)
        finally:
            os.close(self._file)
            os.close(self._staging)

    def write(self, data: bytes | memoryview) -> None:
        """Add to its end."""
        left = memoryview(data)
        with self._tree.translated():
            while left:
                left = left[os.write(self._file, left) :]

    def create(self) -> Put:
        """Give it its name where there is no such file."""

        def link(directory: int) -> Put:
            try:
                os.link(
                    self._staged,
                    self._name,
                    src_dir_fd=self._staging,
                    dst_dir_fd=directory,
                    follow_symlinks=False,
                )
            except FileExistsError:
                there = os.stat(self._name, dir_fd=directory, follow_symlinks=False)
                if stat.S_ISREG(there.st_mode):
                    return Put.EXISTS
                raise StorageError(
                    f"folder {self._tree.root} cannot be used: {'/'.join((*self._directories, self._name))} is no "
                    "file: take it away."
                ) from None
            return Put.CREATED

        return self._named(link)

    def replace(self) -> None:
        """Give it its name, in place of a file that has it."""
        self._named(
            lambda directory: os.replace(
                self._staged, self._name, src_dir_fd=self._staging, dst_dir_fd=directory
            )
        )

    def _named(self, give: Callable[[int], _T]) -> _T:
        """``give`` its name in its directory; then have the disk keep that, also where another one has given it."""
        with self._tree.translated():
            os.fsync(self._file)
            for _ in range(_TRIES):
                with (
                    suppress(FileNotFoundError),
                    self._tree.opened(self._directories, make=True) as opened,
                ):
                    given = give(opened[-1])
                    sync(opened)
                    return given
        raise StorageError(
            f"folder {self._tree.root} cannot be used: what was written there was deleted meanwhile."
        )


def sweep(tree: Tree, now: float | None = None) -> None:
    """Delete what killed processes have left, a day after its last byte. ``now``: seconds of the epoch."""
    before = (time.time() if now is None else now) - timing.FOLDER_STAGED_SECONDS
    with tree.translated(), suppress(FileNotFoundError), tree.opened((STAGING,)) as opened:
        for name in os.listdir(opened[-1]):  # noqa: PTH208 - of a file descriptor
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=opened[-1], follow_symlinks=False).st_mtime < before:
                    os.unlink(name, dir_fd=opened[-1])
