"""Folders for work under way, on the disk of the cache; those of killed runs are cleared."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.settings import cache_home


@contextmanager
def workspace() -> Iterator[Path]:
    """Give an empty folder that lasts as long as the block.

    The folder is locked meanwhile; the kernel gives a lock back when its process dies, and so the
    next run knows what a killed one left.
    """
    parent = cache_home() / "tmp"
    with locked(cache_home() / "locks" / "tmp"):
        clear_abandoned(parent)
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent))
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        folder.chmod(0o755)  # apt's sandbox user must reach what lies in it
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def clear_abandoned(parent: Path) -> None:
    """Remove the folders below ``parent`` that no running process has locked."""
    for folder in parent.iterdir() if parent.exists() else ():
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)
