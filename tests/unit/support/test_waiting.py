"""Waiting for a condition: what it returns, and what it says when it was in vain."""

from __future__ import annotations

import pytest

from genpool_dev.cluster.errors import ClusterError
from support import waiting
from support.waiting import BrokenOffError, wait_until


def test_it_returns_the_reading_that_holds() -> None:
    readings = iter([1, 2, 3])
    assert wait_until(lambda: next(readings), lambda value: value == 3, "three", seconds=5, pause=0) == 3


def test_in_vain_it_shows_what_and_the_last_reading() -> None:
    with pytest.raises(
        AssertionError, match=r"waited 0 s in vain for rain. Last reading:\n\{'sky': 'blue'\}"
    ):
        wait_until(lambda: {"sky": "blue"}, lambda _: False, "rain", seconds=0, pause=0)


def test_a_reading_that_fails_is_tried_again() -> None:
    failures = [ClusterError("the broker is away"), None]

    def read() -> str:
        error = failures.pop(0)
        if error is not None:
            raise error
        return "back"

    assert wait_until(read, bool, "the broker", seconds=5, pause=0) == "back"


def test_in_vain_it_shows_the_error_of_the_last_reading() -> None:
    def read() -> str:
        raise ClusterError("the broker is away")

    with pytest.raises(AssertionError, match="the reading failed: the broker is away"):
        wait_until(read, bool, "the broker", seconds=0, pause=0)


def test_a_fault_of_the_test_itself_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, bool, "nothing", seconds=60)


def test_a_run_that_is_broken_off_ends_every_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    event = type(waiting.BROKEN_OFF)()
    event.set()
    monkeypatch.setattr(waiting, "BROKEN_OFF", event)
    with pytest.raises(BrokenOffError, match="for ever"):
        wait_until(lambda: None, bool, "for ever", seconds=60)
