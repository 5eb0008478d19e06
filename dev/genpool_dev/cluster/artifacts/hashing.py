"""Keys of built things: a hash of everything that they are built from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

KEY_LENGTH = 12

LEFT_OUT = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")
"""Folders that are never part of what is built (.dockerignore leaves them out too)."""


def key(parts: Iterable[tuple[str, bytes]]) -> str:
    """Hash named parts, in any order: 12 hexadecimal digits.

    Names and contents are both measured, so that moving a byte from one to the next changes it.
    """
    digest = hashlib.sha256()
    for name, content in sorted(parts):
        head = name.encode()
        digest.update(len(head).to_bytes(8, "big") + head)
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:KEY_LENGTH]


def files_below(root: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield every file of ``names`` (files or folders below ``root``) with its relative path.

    The mode's executable bit is part of the name: it ends up in an image. Raises
    :class:`FileNotFoundError` for a name that is not there.
    """
    for name in names:
        start = root / name
        found = sorted(start.rglob("*")) if start.is_dir() else [start]
        for path in found:
            if path.is_dir() or set(path.relative_to(root).parts) & set(LEFT_OUT):
                continue
            mark = "x" if path.stat().st_mode & 0o100 else "-"
            yield f"{path.relative_to(root)}:{mark}", path.read_bytes()
