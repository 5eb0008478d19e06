"""The retry policy of a task: another attempt after a delay, or the dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.errors import TaskFailure
from genpool_core.ledger.decide import retry_delay


@dataclass(frozen=True)
class Retry:
    """Try again after so many seconds, which is one of the delay steps."""

    delay_seconds: int


@dataclass(frozen=True)
class GiveUp:
    """End the task as dead. ``reason`` and ``message`` are the last failure's."""

    reason: str
    message: str


def decide_retry(failure: TaskFailure, *, counted: int, max_attempts: int) -> Retry | GiveUp:
    """Decide after a failed attempt. ``counted``: attempts that count against ``max_attempts``, this one included."""
    if not failure.retryable:
        return GiveUp(failure.reason, failure.message)
    if counted >= max_attempts:
        times = "1 attempt" if counted == 1 else f"{counted} attempts"
        return GiveUp(failure.reason, f"{failure.message} (given up after {times})")
    return Retry(retry_delay(counted))
