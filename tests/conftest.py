"""For all tests: Ctrl-C counts, also in the background; where several run at once, long ones begin early."""

from __future__ import annotations

import gc
import os
import signal
from itertools import groupby

import pytest

from support.dealing import deal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that puts a run into the background has it ignored. Programs that tests start inherit that, and tests end
    # them by SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Folders below ``tests``, by how long their tests wait; what is not named waits less.
_WAITING = (
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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of all tiers."""
    config.addinivalue_line("markers", "long: takes 40 s and more where several run; begins at once")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal them out, where several processes run tests: see :func:`support.dealing.deal`."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes < 2:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    files = [list(group) for _, group in groupby(others, key=lambda item: item.path)]
    files.sort(key=lambda group: _place(group[0]))
    items[:] = deal(long, files, lambda item: _place(item) < len(_WAITING), processes)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    found = (number for number, folder in enumerate(_WAITING) if f"/tests/{folder}/" in path)
    return next(found, len(_WAITING))
