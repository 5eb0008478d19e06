"""From what the broker answers to what is known of a queue. Unknown is never zero.

A passive declare is fresh, but a quorum queue whose leader does not answer in time reports 0 there: only another
number is believed. The management API's list lags by some seconds, but says so when it does not know: a zero is
believed when both agree and the list found the queue in a good state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_operator.decide.workers import WorkerCounts

#: States of a queue in which the list's figures mean something.
GOOD_STATES = frozenset({"running", "idle", "flow"})
#: The list is read every few seconds; older than this it is no evidence.
LISTED_EXPIRY = timedelta(seconds=15)
COUNTED_EXPIRY = timedelta(seconds=5)


@dataclass(frozen=True)
class Listed:
    """A queue's row in the management API's list; None where a figure was absent."""

    at: datetime
    state: str | None
    ready: int | None
    unacked: int | None
    total: int | None

    def good(self, now: datetime) -> bool:
        """Whether its figures are evidence now."""
        return (
            now - self.at <= LISTED_EXPIRY
            and self.state in GOOD_STATES
            and None not in {self.ready, self.unacked, self.total}
        )


@dataclass(frozen=True)
class Counted:
    """Answer to a passive declare: messages ready."""

    at: datetime
    ready: int


@dataclass(frozen=True)
class QueueReading:
    """What is known of a queue.

    ``at_least`` tasks are there for certain, which is enough to scale out; no more than ``at_most`` can be, which is
    needed to scale in, and was so at ``evidence_at``, the time of the older of the two answers. None: not known.
    ``waiting`` and ``running`` are the figures for people; ``held`` tasks are with pods that stay.
    """

    waiting: int | None = None
    running: int | None = None
    dead: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    evidence_at: datetime | None = None
    held: int = 0
    workers_known: bool = True
    observed_at: datetime | None = None


def read_queue(
    listed: Listed | None,
    dead: Listed | None,
    counted: Counted | None,
    workers: WorkerCounts,
    now: datetime,
) -> QueueReading:
    """Combine the answers about a work queue, ``dead`` is the row of its dead-letter queue."""
    row = listed if listed is not None and listed.good(now) else None
    ready = counted.ready if counted is not None and now - counted.at <= COUNTED_EXPIRY else None
    held = _held(row, workers)
    slow = None if row is None or row.total is None else row.total
    times = [item.at for item in (row, counted) if item is not None]
    known = bool(ready) or row is not None
    return QueueReading(
        waiting=ready or (row.ready if row is not None else None),
        running=None if workers.unknown and row is None else held + workers.leaving,
        dead=dead.total if dead is not None and dead.good(now) else None,
        at_least=ready + held if ready else (None if slow is None else max(held, slow - workers.leaving)),
        at_most=None if slow is None or ready is None else max(ready + held, slow),
        held=held,
        evidence_at=None if slow is None or ready is None else min(times),
        workers_known=workers.unknown == 0,
        observed_at=max(times) if known else None,
    )


def _held(row: Listed | None, workers: WorkerCounts) -> int:
    """Tasks that pods which stay hold: as their workers say, and where some are silent, as the broker says.

    The broker's figure lags, so it is second choice; it includes what terminating pods hold.
    """
    if workers.unknown == 0 or row is None or row.unacked is None:
        return workers.busy
    return max(workers.busy, row.unacked - workers.leaving)
