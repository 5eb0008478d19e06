"""What is known of a queue, from the broker's answers. Unknown is never zero.

A passive declare is fresh, but a quorum queue whose leader does not answer in time reports 0 there: only another
number is believed. The management API's list lags by some seconds, but says so when it does not know: a zero is
believed when both agree and the list found the queue in a good state.

The list lags, so its tasks may be done by now, or be of a queue that was deleted since: they are believed once it has
told of them for longer than it lags, and no passive declare has told otherwise for as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_operator.decide.workers import WorkerCounts

#: States of a queue in which the list's figures mean something.
GOOD_STATES = frozenset({"running", "idle", "flow"})
#: The list may lag by so much. Where it tells of waiting tasks for longer, and a passive declare of none, that is no
#: longer the reason: it is the declare that is wrong.
LIST_LAG = timedelta(seconds=timing.LIST_LAG_SECONDS)


@dataclass(frozen=True)
class Listed:
    """A queue's row in the management API's list; None where a figure was absent.

    ``ready_since``: since when each row told of tasks that wait.
    """

    at: datetime
    state: str | None
    ready: int | None
    unacked: int | None
    total: int | None
    ready_since: datetime | None = None

    def good(self, now: datetime) -> bool:
        """Whether its figures are evidence now."""
        return (
            now - self.at <= timedelta(seconds=timing.LIST_EXPIRY_SECONDS)
            and self.state in GOOD_STATES
            and None not in {self.ready, self.unacked, self.total}
        )


@dataclass(frozen=True)
class Counted:
    """Answer to a passive declare: messages ready, and since when it was 0 without a break.

    ``ready`` is None where there is no such queue: then nothing waits in it, whatever the list still tells.
    """

    at: datetime
    ready: int | None
    zero_since: datetime | None = None


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
    cancelled: int = 0
    """Messages of cancelled tasks that are not counted in ``at_least``."""
    at_least_since: datetime | None = None
    """What ``at_least`` rests on may be as old as this."""


def read_queue(
    listed: Listed | None,
    dead: Listed | None,
    counted: Counted | None,
    workers: WorkerCounts,
    now: datetime,
) -> QueueReading:
    """Combine the answers about a work queue, ``dead`` is the row of its dead-letter queue."""
    recent = counted is not None and now - counted.at <= timedelta(seconds=timing.COUNT_EXPIRY_SECONDS)
    fresh = counted if recent and counted is not None and counted.ready is not None else None
    gone = recent and fresh is None
    row = listed if listed is not None and listed.good(now) and not gone else None
    ready = None if fresh is None else fresh.ready
    held = _held(row, workers)
    # What a worker took since the passive declare was counted there as waiting, and must not count twice.
    waiting = (
        None
        if fresh is None or ready is None
        else max(0, ready - sum(at >= fresh.at for at in workers.begun))
    )
    slow = None if row is None or row.total is None else row.total
    times = [item.at for item in (row, fresh) if item is not None]
    known = bool(ready) or row is not None
    certain = _certain(row, counted, fresh)
    agreed = fresh is not None and row is not None and not certain
    return QueueReading(
        waiting=waiting if ready or agreed else (None if row is None else row.ready),
        running=None if workers.unknown and row is None else held + workers.leaving,
        dead=dead.total if dead is not None and dead.good(now) else None,
        at_least=_at_least(slow, waiting if ready else None, held, workers, certain=certain),
        at_most=None if slow is None or ready is None else max(ready + held, slow),
        held=held,
        evidence_at=None if slow is None or ready is None else min(times),
        workers_known=workers.unknown == 0,
        observed_at=max(times) if known else None,
        at_least_since=_since(row, fresh if ready else None),
    )


def _since(row: Listed | None, found: Counted | None) -> datetime | None:
    """``found``: a passive declare that found some; it may have taken long to answer."""
    if found is not None:
        return found.at - timedelta(seconds=timing.COUNT_TIMEOUT_SECONDS)
    return None if row is None else row.at - LIST_LAG


def _certain(row: Listed | None, counted: Counted | None, fresh: Counted | None) -> bool:
    """Whether the list's tasks are there: it has told of some for longer than it can lag, against the passive declare.

    A declare that answers is against it while it says 0, one that does not answer any more until its last answer.
    """
    if row is None or row.ready_since is None:
        return False
    if fresh is not None:
        against = fresh.zero_since
        return against is not None and min(row.at, fresh.at) - max(row.ready_since, against) > LIST_LAG
    against = row.ready_since if counted is None else counted.at
    return row.at - max(row.ready_since, against) > LIST_LAG


def _at_least(
    slow: int | None, waiting: int | None, held: int, workers: WorkerCounts, *, certain: bool
) -> int | None:
    """Tasks that are there for certain.

    ``waiting``: what is left of a passive declare that found some; None when it found none.
    """
    if waiting is not None:
        return waiting + held
    if slow is None:
        return None
    return max(held, slow - workers.leaving) if certain else held


def _held(row: Listed | None, workers: WorkerCounts) -> int:
    """Tasks that pods which stay hold: as their workers say, and where some are silent, as the broker says.

    The broker's figure lags, so it is second choice; it includes what terminating pods hold.
    """
    if workers.unknown == 0 or row is None or row.unacked is None:
        return workers.busy
    return max(workers.busy, row.unacked - workers.leaving)
