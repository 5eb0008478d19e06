"""Programs that go on when the one that started them ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path


def start(command: Sequence[str], log: Path) -> int:
    """Start a program in a session of its own, with its output in ``log``; returns its pid.

    A Popen object would warn that its program goes on.
    """
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), writing, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_CLOSE, number) for number in _given()),
    ]
    return os.posix_spawn(command[0], [*command], os.environ, file_actions=actions, setsid=True)


def _given() -> list[int]:
    """Open files that this program got from the one before it, such as a lock: what goes on must not hold them."""
    found = []
    for path in Path("/dev/fd").iterdir():
        number = int(path.name)
        # The folder itself was listed too, and is closed by now.
        with contextlib.suppress(OSError):
            if number > 2 and os.get_inheritable(number):  # noqa: PLR2004 - standard error
                found.append(number)
    return found
