"""The signals that tell a program to end, as a flag that its main thread waits for.

A handler runs in the main thread between any two steps of it. What it raises may come in the middle of starting a
thread, which is then known to nobody and waited for at the end; :meth:`threading.Event.set` waits for a lock that the
interrupted step may hold. So a handler puts into a :class:`queue.SimpleQueue`, whose ``put`` may interrupt its ``get``
(https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put), and does nothing else.

A signal that comes after Python has looked for one and before the system's wait begins does not interrupt that wait,
and its handler runs behind it. So nobody waits for long at a time.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue

from genpool_core import timing

END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class EndSignal:
    """Whether the program has been told to end. For one thread to ask; any handler may tell."""

    def __init__(self) -> None:
        self._told: SimpleQueue[None] = SimpleQueue()
        self._is_told = False

    def tell(self, *_: object) -> None:
        """Tell it, as the handler of a signal or otherwise; again: nothing."""
        self._told.put(None)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait at most so many seconds (None: as long as it takes), and say whether it was told."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._is_told:
            left = timing.SIGNAL_LOOK_SECONDS if deadline is None else deadline - time.monotonic()
            with suppress(Empty):
                self._told.get(timeout=min(timing.SIGNAL_LOOK_SECONDS, max(0.0, left)))
                self._is_told = True
            if deadline is not None and time.monotonic() >= deadline:
                break
        return self._is_told


def end_signal(numbers: Iterable[signal.Signals] = END_SIGNALS) -> EndSignal:
    """Have these signals tell the end, from now on; in the main thread."""
    told = EndSignal()
    for number in numbers:
        signal.signal(number, told.tell)
    return told
