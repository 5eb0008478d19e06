"""The end of a worker's life: it takes nothing new, and has until a deadline to finish what it holds."""

from __future__ import annotations

import threading

from genpool_core import timing
from genpool_worker.ports import Clock


def margin_seconds(grace_seconds: int) -> float:
    """What is kept of the grace for handing back and closing connections."""
    return min(timing.DRAIN_MARGIN_MAX_SECONDS, max(timing.DRAIN_MARGIN_MIN_SECONDS, grace_seconds / 10))


class Drain:
    """Whether the worker drains, and until when the task in hand may go on. Used by several threads."""

    def __init__(self, clock: Clock, grace_seconds: int) -> None:
        self._clock = clock
        self._allowed = max(1.0, grace_seconds - margin_seconds(grace_seconds))
        self._begun = threading.Event()
        self._deadline = float("inf")

    def begin(self) -> None:
        """Begin; a second call changes nothing."""
        if not self._begun.is_set():
            self._deadline = self._clock.monotonic() + self._allowed
            self._begun.set()

    @property
    def active(self) -> bool:
        """Whether it has begun."""
        return self._begun.is_set()

    @property
    def overdue(self) -> bool:
        """Whether the task in hand must be given back now."""
        return self.remaining <= 0

    @property
    def remaining(self) -> float:
        """Seconds that the task in hand still has; infinite before a drain."""
        return self._deadline - self._clock.monotonic()

    def rest(self, seconds: float) -> None:
        """Wait; a drain that begins ends the wait, one that is on shortens it."""
        if self.active:
            self._clock.sleep(max(0.0, min(seconds, timing.DRAIN_TICK_SECONDS, self.remaining)))
        else:
            self._clock.wait(self._begun, seconds)
