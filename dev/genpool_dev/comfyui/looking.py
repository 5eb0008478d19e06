"""What a hostile node would look for: environments of all processes, and all files that may hold a secret.

For the tests of what ComfyUI can reach in its pod. The node that does it is there with ``--standin-looking`` only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

#: What the image brings, and what is no file.
_LEFT_OUT = frozenset({"proc", "sys", "dev", "usr", "lib", "lib64", "bin", "sbin", "opt", "app", "boot"})
_FILE_BYTES = 1 << 18
_ALL_BYTES = 1 << 25
#: Of another process: what it was started with, and its own view of the file system.
_OF_A_PROCESS = ("environ", "cmdline")


def look(root: Path) -> str:
    """Everything that was found below ``root``: a line with each path, then the content, however it decodes.

    Raises
    ------
    RuntimeError
        There is more than can be told: whoever relies on it would not have seen all.
    """
    found: list[str] = []
    left = _ALL_BYTES
    for path in _paths(root):
        content = _read(path)
        if content is not None:
            left -= len(content)
            if left < 0:
                raise RuntimeError(f"there are more than {_ALL_BYTES} bytes to see below {root}")
            found.append(f"{path}\n{content.decode(errors='replace')}\n")
    return "".join(found)


def _paths(root: Path) -> Iterator[Path]:
    processes = [path for path in _listed(root / "proc") if path.name.isdigit()]
    for process in processes:
        yield from (process / name for name in _OF_A_PROCESS)
    for top in _listed(root):
        if top.name not in _LEFT_OUT:
            yield from _below(top)
    for process in processes:
        # With a shared process namespace this is another container's file system.
        yield from _below(process / "root" / "run")


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _below(top: Path) -> Iterator[Path]:
    if top.is_symlink() or not top.is_dir():
        yield top
        return
    for folder, _, names in os.walk(top):
        yield from (Path(folder) / name for name in sorted(names))


def _read(path: Path) -> bytes | None:
    """Of a file the beginning; None of what is no file or cannot be read. Never waits for a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, _FILE_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
