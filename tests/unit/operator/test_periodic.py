"""A periodic thread is called now where something has changed, and loses no such call."""

from __future__ import annotations

import threading

from genpool_operator.handlers.periodic import PeriodicThread

_LONG = 3600.0
_SECONDS = 10.0


def test_it_is_called_now_and_once_more_for_what_came_during_a_call() -> None:
    called, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def step() -> None:
        called.release()
        assert go_on.acquire(timeout=_SECONDS)

    thread = PeriodicThread("test", step, _LONG, events=("failed", "crashed"))
    thread.start()
    assert called.acquire(timeout=_SECONDS)
    # During the first call: it may have looked already.
    thread.hurry()
    thread.hurry()
    go_on.release()
    assert called.acquire(timeout=_SECONDS)
    go_on.release()
    thread.hurry()
    assert called.acquire(timeout=_SECONDS)
    go_on.release()
    thread.stop()
    assert not called.acquire(blocking=False)
    assert thread.unhealthy() == "thread test has ended"
