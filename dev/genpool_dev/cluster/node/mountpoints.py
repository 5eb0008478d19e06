"""Folders with fixed names that a node covers with its own, each in its own mount namespace.

Several nodes, or a real kubelet, may share a machine, and removing a folder takes away what is mounted on
it in *every* mount namespace. So a folder that we made goes only when no process has a mount on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.settings import cache_home

MOUNT_POINTS = (Path("/var/lib/kubelet"), Path("/var/log/containers"))
"""kubelet's sockets of device plugins, and its links to logs: their places cannot be set."""


def _mark(point: Path) -> Path:
    return cache_home() / "made" / str(point).strip("/").replace("/", "-")


@contextmanager
def held() -> Iterator[None]:
    """Make the folders that are missing; none is removed while the block mounts on them."""
    with locked(cache_home() / "locks" / "mount-points"):
        for point in MOUNT_POINTS:
            if not point.exists():
                _mark(point).parent.mkdir(parents=True, exist_ok=True)
                _mark(point).touch()
                point.mkdir(parents=True)
        yield


def remove_unused() -> None:
    """Remove the folders that a node made, where they are empty and nothing is mounted on them."""
    with locked(cache_home() / "locks" / "mount-points"):
        for point in MOUNT_POINTS:
            if not _mark(point).exists() or is_mounted(point, _mount_tables()):
                continue
            if point.is_dir() and not any(point.iterdir()):
                point.rmdir()
            _mark(point).unlink()


def is_mounted(point: Path, tables: Iterable[str]) -> bool:
    """Tell whether one of the texts of ``/proc/<pid>/mountinfo`` has a mount just on ``point``."""
    return any(line.split()[4] == str(point) for table in tables for line in table.splitlines())


def _mount_tables() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            yield path.read_text()
        except OSError:  # ended meanwhile
            continue
