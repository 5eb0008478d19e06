"""Holding a task while the store or the broker is away: finished work must not be lost to an outage.

===============  ==================================================================
the error lasts  the call
===============  ==================================================================
``OUTAGE``       is made again, with growing waits, until a drain's time is over
``REPAIR``       is made again for as long as the operator needs to repair things
``NEVER``        ends at once
===============  ==================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, Lasts, StorageError
from genpool_worker.drain import Drain
from genpool_worker.errors import HandBack, Refused
from genpool_worker.ports import Clock

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_BACKOFF = Backoff(first=timing.OUTAGE_FIRST_SECONDS, cap=timing.OUTAGE_LONGEST_SECONDS, spread=0.0)


class OutageRetry:
    """Tries again with growing waits what a later call may do.

    Both methods raise HandBack when a drain's time is over, and Refused where trying again is no use.
    """

    def __init__(self, drain: Drain, clock: Clock) -> None:
        self._drain = drain
        self._clock = clock

    def until_stored(self, action: Callable[[], T]) -> T:
        """Result of ``action`` once the store accepts it."""
        return self._call("the store", action)

    def until_published(self, action: Callable[[], T]) -> T:
        """Result of ``action`` once the broker accepts it."""
        return self._call("the broker", action)

    def _call(self, what: str, action: Callable[[], T]) -> T:
        failures = 0
        refused_at: float | None = None
        while True:
            try:
                return action()
            except (StorageError, BrokerError) as error:
                failures += 1
                _log.warning("task_held", waiting_for=what, reason=error.reason, message=error.message)
                if self._drain.overdue:
                    raise HandBack(f"no time is left to wait for {what}: {error.message}") from error
                now = self._clock.monotonic()
                refused_at = (
                    None if error.lasts is Lasts.OUTAGE else now if refused_at is None else refused_at
                )
                waited = 0.0 if refused_at is None else now - refused_at
                if error.lasts is Lasts.NEVER or waited >= timing.REPAIR_SECONDS:
                    raise Refused(error.message, reason=error.reason) from error
            self._drain.rest(_BACKOFF.seconds(failures))
