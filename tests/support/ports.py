"""Ports for servers of tests, that nobody else takes before they listen or while they are away.

The system gives none of them to a connection that goes out, and each process of tests has a share of its own: a port
that one has found free, and has no server on yet, is not found by another.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

from genpool_cli.local.ports import is_free

_FIRST = 10_000
#: What a person's programs look for begins at 20000.
_SHARES = 50
_SHARE = 200
_held = []


def free_port() -> int:
    """One that is free, and was not given out for as long as may be. Raises AssertionError where none is."""
    ports = _ports()
    for _ in range(_SHARE):
        if is_free(port := next(ports)):
            return port
    raise AssertionError(f"none of the {_SHARE} ports of this process is free")


@cache
def _ports() -> Iterator[int]:
    first = _FIRST + _share() * _SHARE
    return cycle(range(first, first + _SHARE))


def _share() -> int:
    """The number of a share that this process has, to its end."""
    folder = Path(tempfile.gettempdir()) / "genpool-test-ports"
    folder.mkdir(exist_ok=True)
    for number in range(_SHARES):
        held = (folder / str(number)).open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            continue
        _held.append(held)
        return number
    raise AssertionError(f"{_SHARES} processes of tests run at once")
