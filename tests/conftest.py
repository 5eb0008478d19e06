"""For all tests: Ctrl-C counts, also in the background; where several run at once, what waits longest begins first."""

from __future__ import annotations

import gc
import os
import signal
from itertools import groupby

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that puts a run into the background has it ignored. Programs that tests start inherit that, and tests end
    # them by SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Folders below ``tests``, by how long their tests wait; what is not named waits less.
_LONG = (
    "integration/cli",
    "integration/dev",
    "integration/worker",
    "integration/operator",
    "integration/gateway",
)


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over what was imported: it took a sixth of the time of a process with tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal whole files out, so that tests that wait and tests that compute always run side by side.

    Each process is first given an equal run of the list, in its order, and later takes from the end of another's
    (xdist's ``worksteal``). Every other one begins with tests that compute.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes < 2:
        return
    files = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
    files.sort(key=lambda group: _place(group[0]))
    hands: list[list[list[pytest.Item]]] = [[] for _ in range(processes)]
    for number, group in enumerate(files):
        turn = hands[number % processes]
        hand = turn if _place(group[0]) < len(_LONG) else min(hands, key=lambda hand: sum(map(len, hand)))
        hand.append(group)
    for hand in hands[1::2]:
        hand.reverse()
    items[:] = [item for hand in hands for group in hand for item in group]


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    found = (number for number, folder in enumerate(_LONG) if f"/tests/{folder}/" in path)
    return next(found, len(_LONG))
