"""Messages of cancelled tasks in a work queue, as the gateway counts them: no pod is started or kept for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_operator.decide.reading import QueueReading

_EXPIRY = timedelta(seconds=timing.BACKLOG_EXPIRY_SECONDS)


@dataclass(frozen=True)
class Backlog:
    """What a gateway said last of a pool, and when we heard it, by our clock.

    ``earlier``: the figures before it that differed, oldest first, each with the time until which it stood.
    """

    cancelled: int
    heard_at: datetime
    earlier: tuple[tuple[datetime, int], ...] = ()

    def followed_by(self, cancelled: int, now: datetime) -> Backlog:
        """What is known once another figure is heard; what is too old to matter is forgotten."""
        ended = self.earlier if cancelled == self.cancelled else (*self.earlier, (now, self.cancelled))
        oldest = now - _EXPIRY
        return Backlog(cancelled, now, tuple(each for each in ended if each[0] >= oldest))

    def most_since(self, time: datetime | None) -> int:
        """The largest figure that stood at ``time`` or after it.

        A depth that was read before messages were taken out still counts them, whatever was said since.
        """
        since = [] if time is None else [figure for until, figure in self.earlier if until >= time]
        return max([self.cancelled, *since])


def without_cancelled(reading: QueueReading, backlog: Backlog | None, now: datetime) -> QueueReading:
    """The reading that decides about pods. What is not known stays so, and a figure that is old is not subtracted."""
    if backlog is None or now - backlog.heard_at > _EXPIRY:
        return reading
    most = backlog.most_since(reading.at_least_since)
    return replace(
        reading,
        waiting=_less(reading.waiting, most, 0),
        at_least=_less(reading.at_least, most, reading.held),
        # As many as can be: here it is the newest figure that is certain.
        at_most=_less(reading.at_most, backlog.cancelled, reading.held),
        cancelled=_subtracted(reading, most),
    )


def _less(tasks: int | None, cancelled: int, held: int) -> int | None:
    """Only what waits can be cancelled and still be in the queue: what workers hold stays."""
    return None if tasks is None else max(min(tasks, held), tasks - cancelled)


def _subtracted(reading: QueueReading, cancelled: int) -> int:
    at_least = reading.at_least or 0
    return at_least - (_less(at_least, cancelled, reading.held) or 0)
