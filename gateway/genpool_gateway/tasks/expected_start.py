"""When a task that waits is expected to start. Pure; what is not known is None, never zero.

The tasks before it leave the queue at the rate at which the pool's workers end tasks: the number of ready pods, divided
by the median time that the last tasks took from the start of their last attempt to their end.

* Without a ready pod nothing is expected. How long a pod takes to start (a node, its image, the model) is measured
  nowhere, and differs from seconds to many minutes. For the same reason pods that are still starting do not count: the
  task may start earlier than told.
* In a queue that is shared with plain producers or an intake, nobody knows who is before whom.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from genpool_gateway.tasks.ports import EndedLately

#: Tasks of a pool that ended last, from which its times are taken: some, so that one slow task moves nothing; few, so
#: that a new model shows soon.
MEASURED = 50


@dataclass(frozen=True)
class PoolLoad:
    """The pods of a pool, as the operator last counted them. None: not counted."""

    ready: int | None
    busy: int | None


def is_shared(intake: str | None, lately: Collection[EndedLately]) -> bool:
    """Whether tasks that the gateway did not accept share the queue. ``intake``: the one before it, if any."""
    return intake is not None or not all(each.owned for each in lately)


def expected_start(
    position: int | None, load: PoolLoad | None, lately: Collection[EndedLately], now: datetime
) -> datetime | None:
    """When the task with so many tasks before it starts; None where that cannot be told."""
    times = [each.seconds for each in lately if each.seconds is not None]
    if position is None or load is None or not load.ready or load.busy is None or not times:
        return None
    free = max(0, load.ready - load.busy)
    ends = max(0, position + 1 - free)
    try:
        return now + timedelta(seconds=ends * median(times) / load.ready)
    except OverflowError:
        return None
