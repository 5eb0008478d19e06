"""Holding a task while the store or the broker is away: finished work must not be lost to an outage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, StorageError
from genpool_worker.drain import Drain
from genpool_worker.errors import HandBack

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_BACKOFF = Backoff(first=timing.OUTAGE_FIRST_SECONDS, cap=timing.OUTAGE_LONGEST_SECONDS, spread=0.0)


class OutageRetry:
    """Tries again with growing waits, without an end but that of a drain."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain

    def until_stored(self, action: Callable[[], T]) -> T:
        """Result of ``action`` once the store answers; raises HandBack when a drain's time is over."""
        return self._call("the store", action)

    def until_published(self, action: Callable[[], T]) -> T:
        """Result of ``action`` once the broker answers; raises HandBack when a drain's time is over."""
        return self._call("the broker", action)

    def _call(self, what: str, action: Callable[[], T]) -> T:
        failures = 0
        while True:
            try:
                return action()
            except (StorageError, BrokerError) as error:
                failures += 1
                _log.warning("task_held", waiting_for=what, reason=error.reason, message=error.message)
                if self._drain.overdue:
                    raise HandBack(f"no time is left to wait for {what}: {error.message}") from error
            self._drain.rest(_BACKOFF.seconds(failures))
