"""Records whether one way to the broker, its management API or AMQP, works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from genpool_operator.decide.broker_health import Reachability


class ReachabilityLog:
    """Records successes and failures; other threads read the result."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reach = Reachability(clock())

    @property
    def reach(self) -> Reachability:
        """As it is now."""
        with self._lock:
            return self._reach

    def ok(self) -> None:
        """It answered."""
        with self._lock:
            self._reach = Reachability(self._reach.started_at, self._clock())

    def failed(self, reason: str, message: str) -> None:
        """It did not."""
        with self._lock:
            self._reach = replace(self._reach, reason=reason, message=message)
