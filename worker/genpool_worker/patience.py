"""Holding a task while something outside is away: try again with growing waits, until a drain ends the patience."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from genpool_core.errors import BrokerError, StorageError
from genpool_worker.drain import Drain
from genpool_worker.errors import HandBack

T = TypeVar("T")
_log = structlog.get_logger(__name__)
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0


class Patience:
    """Work that is done must not be lost because the store or the broker is away for a while."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain

    def hold(self, what: str, action: Callable[[], T]) -> T:
        """Result of ``action``, as soon as neither StorageError nor BrokerError stands before it.

        Raises
        ------
        HandBack
            A drain's time is over.
        """
        wait = FIRST_WAIT
        while True:
            try:
                return action()
            except (StorageError, BrokerError) as error:
                _log.warning("task_held", waiting_for=what, reason=error.reason, message=error.message)
                if self._drain.overdue:
                    raise HandBack(f"no time is left to wait for {what}: {error.message}") from error
            self._drain.rest(wait)
            wait = min(wait * 2, LONGEST_WAIT)
