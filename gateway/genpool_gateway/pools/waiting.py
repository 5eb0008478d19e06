"""How many tasks wait in a queue: a figure that is read now and then, and what came since. Pure.

A figure that was never read is unknown, which is not zero: whoever asks decides what that means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from genpool_core import timing


@dataclass
class Waiting:
    """Of one queue. Times are those of a monotonic clock."""

    count: int | None = None
    """When it was read last."""
    added: int = 0
    """Since then."""
    asked_at: float = -math.inf
    read_at: float = -math.inf
    per_second: float | None = None
    """Tasks that leave the queue; None while nothing was measured."""

    def is_due(self, now: float) -> bool:
        """Whether it is to be read again."""
        return now - self.asked_at >= timing.QUEUE_COUNT_SECONDS

    def asked(self, now: float) -> None:
        """It is being read, or that failed: the last figure stays until the next time."""
        self.asked_at = now

    def read(self, count: int, now: float) -> None:
        """It was read."""
        if self.count is not None and now > self.read_at:
            self._measure(self.count + self.added - count, now - self.read_at)
        self.count, self.added, self.read_at, self.asked_at = count, 0, now, now

    def add(self) -> None:
        """A task was put into the queue."""
        self.added += 1

    @property
    def known(self) -> int | None:
        """How many wait, as far as that is known."""
        return None if self.count is None else self.count + self.added

    def is_full(self, most: int) -> bool | None:
        """Whether no more may come; None where that is not known."""
        known = self.known
        return None if known is None else known >= most

    def seconds_until_room(self, most: int) -> int | None:
        """How long that will last; None where nothing was seen to leave the queue."""
        known = self.known
        if known is None or not self.per_second:
            return None
        seconds = math.ceil((known - most + 1) / self.per_second)
        return max(1, min(seconds, timing.RETRY_AFTER_MOST_SECONDS))

    def _measure(self, left: int, seconds: float) -> None:
        rate = max(0, left) / seconds
        weight = 1 - math.exp(-seconds / timing.QUEUE_RATE_SECONDS)
        known = self.per_second
        self.per_second = rate if known is None else known + weight * (rate - known)
