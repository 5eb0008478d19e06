"""The operator's clock: UTC, and safe to subtract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: How much faster or slower than a monotonic clock ours may run while it comes to agree with the machine's time.
SLEW = 0.1


def _wall() -> datetime:
    return datetime.now(UTC)


class SteadyClock:
    """UTC that never jumps and never goes back. Used by several threads.

    Idle windows, the age of heartbeats and of figures, and waits before a status is written are differences of these
    times. When somebody sets the machine's time, or a node gets it right some time after its start, ours follows at
    most a tenth faster or slower, so that no window is over at once and none begins anew: a duration is wrong by a
    tenth at most, as long as ours is behind or ahead.
    """

    def __init__(
        self, wall: Callable[[], datetime] = _wall, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._time = wall()
        self._read_at = monotonic()

    def now(self) -> datetime:
        """The time."""
        with self._lock:
            read_at = self._monotonic()
            passed = read_at - self._read_at
            expected = self._time + timedelta(seconds=passed)
            most = passed * SLEW
            behind = (self._wall() - expected).total_seconds()
            self._time = expected + timedelta(seconds=max(-most, min(most, behind)))
            self._read_at = read_at
            return self._time
