"""The thread that works on tasks, when it ends before the drain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

import pytest
from structlog.testing import capture_logs

from fakes.worker_ports import FakeClock
from genpool_core.errors import SettingsError
from genpool_worker.consumer import TaskConsumer
from genpool_worker.consumer_thread import ConsumerThread
from genpool_worker.drain import Drain

ENDED = "the thread that works on tasks has ended: see the log."


class Scripted:
    """A consumer whose run is what a test says."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.run = run


def made(run: Callable[[], object]) -> tuple[ConsumerThread, Drain]:
    drain = Drain(FakeClock(), 60)
    return ConsumerThread(cast("TaskConsumer", Scripted(run)), drain), drain


def _refuse() -> None:
    raise SettingsError("the store is not safe.", reason="StoreNotAtomic")


def _break() -> None:
    raise RuntimeError("a defect")


def test_work_that_goes_on_is_no_trouble() -> None:
    end = threading.Event()
    thread, drain = made(end.wait)
    thread.start()
    assert (thread.unhealthy(), thread.failed) == (None, False)
    drain.begin()
    end.set()
    thread.join(20)
    assert (thread.unhealthy(), thread.failed) == (None, False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("run", "event"), [(_refuse, "worker_refuses"), (_break, "worker_failed")])
def test_work_that_ends_for_good_is_told(run: Callable[[], object], event: str) -> None:
    thread, _ = made(run)
    with capture_logs() as logged:
        thread.start()
        thread.join(20)
    assert thread.failed
    assert thread.unhealthy() == ENDED
    (line,) = logged
    assert (line["event"], line["log_level"]) == (event, "error")
    if run is _refuse:
        assert (line["reason"], line["message"]) == ("StoreNotAtomic", "the store is not safe.")
