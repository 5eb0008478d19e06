"""Waiting for a condition: never a fixed time, always a deadline, and the last reading when it was in vain."""

from __future__ import annotations

import pprint
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from genpool_dev.cluster.errors import ClusterError

Value = TypeVar("Value")

#: Set when the run is broken off: every wait in every thread ends then.
BROKEN_OFF = threading.Event()
_LONGEST = 3000
#: Seconds between two readings, however long it takes.
_LONGEST_PAUSE = 1.0


class BrokenOffError(Exception):
    """The run was interrupted while this waited."""


def wait_until(
    read: Callable[[], Value],
    holds: Callable[[Value], object],
    what: str,
    *,
    seconds: float,
    pause: float = 0.25,
) -> Value:
    """Read until ``holds`` says so and return that reading.

    ``pause``: seconds between the first readings.

    A reading that fails with an error of the cluster or the stack is no reading: a broker may be away for a moment.

    Raises
    ------
    AssertionError
        ``seconds`` went by. The message has ``what`` was waited for, and the last reading or error.
    BrokenOffError
        Somebody ended the run.
    """
    began = time.monotonic()
    while True:
        try:
            value = read()
        except ClusterError as error:
            last = f"the reading failed: {error}"
        else:
            if holds(value):
                return value
            last = _shown(value)
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}. Last reading:\n{last}")
        if BROKEN_OFF.wait(next_pause(waited, pause, _LONGEST_PAUSE)):
            raise BrokenOffError(what)


def next_pause(waited: float, shortest: float, longest: float) -> float:
    """Seconds until the next look: what has not come for long is looked for less often. Pure.

    Looking, too, costs a processor that others need.
    """
    return min(max(waited / 10, shortest), longest)


def _shown(value: object) -> str:
    text = pprint.pformat(value, width=110, compact=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
