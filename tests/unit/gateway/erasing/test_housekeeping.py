"""The thread of the looks: one that fails stops no other, and the process knows when the thread has ended."""

from __future__ import annotations

import threading

from genpool_gateway.erasing.housekeeping import Housekeeping, Look


def test_each_look_is_done_and_one_that_fails_is_done_again() -> None:
    done, again = threading.Event(), threading.Event()
    tries: list[int] = []

    def fail() -> None:
        tries.append(len(tries))
        if len(tries) == 2:
            again.set()
        raise ValueError("a fault")

    looks = [Look("broken", 0, fail), Look("works", 0, done.set)]
    housekeeping = Housekeeping(looks, threading.Event(), every=0.01)
    assert housekeeping.unhealthy() is not None
    housekeeping.start()
    assert done.wait(10)
    assert again.wait(10)
    assert housekeeping.unhealthy() is None
    housekeeping.stop(5)
    assert housekeeping.unhealthy() is None


def test_a_thread_that_has_ended_is_told() -> None:
    stopping = threading.Event()
    housekeeping = Housekeeping([], stopping, every=0.01)
    housekeeping.start()
    housekeeping.stop(10)
    stopping.clear()
    assert "has ended" in str(housekeeping.unhealthy())
