"""``kubectl`` and ``helm`` by their usual names, for people and programs."""

from __future__ import annotations

import os
from pathlib import Path

from genpool_dev.cluster.settings import cache_home


def folder() -> Path:
    """Return the folder to put on the PATH."""
    return cache_home() / "bin"


def link(name: str, target: Path) -> Path:
    """Make ``name`` in the folder mean ``target``; returns the link."""
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and path.readlink() == target:
        return path
    half = path.with_name(f".{name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    half.symlink_to(target)
    half.replace(path)
    return path
