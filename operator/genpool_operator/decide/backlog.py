"""Messages of cancelled tasks in a work queue, as the gateway counts them: no pod is started or kept for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_operator.decide.reading import QueueReading


@dataclass(frozen=True)
class Backlog:
    """What a gateway said last of a pool, and when we heard it, by our clock."""

    cancelled: int
    heard_at: datetime


def without_cancelled(reading: QueueReading, backlog: Backlog | None, now: datetime) -> QueueReading:
    """The reading that decides about pods. What is not known stays so, and a figure that is old is not subtracted."""
    if backlog is None or now - backlog.heard_at > timedelta(seconds=timing.BACKLOG_EXPIRY_SECONDS):
        return reading
    return replace(
        reading,
        waiting=_less(reading.waiting, backlog.cancelled, 0),
        at_least=_less(reading.at_least, backlog.cancelled, reading.held),
        at_most=_less(reading.at_most, backlog.cancelled, reading.held),
        cancelled=_subtracted(reading, backlog),
    )


def _less(tasks: int | None, cancelled: int, held: int) -> int | None:
    """Only what waits can be cancelled and still be in the queue: what workers hold stays."""
    return None if tasks is None else max(min(tasks, held), tasks - cancelled)


def _subtracted(reading: QueueReading, backlog: Backlog) -> int:
    at_least = reading.at_least or 0
    return at_least - (_less(at_least, backlog.cancelled, reading.held) or 0)
