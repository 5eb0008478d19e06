"""When messages of cancelled tasks are taken out of a queue that nobody consumes, and which they are. Pure.

Whoever looks at messages holds them for a moment, and RabbitMQ may count that as a delivery: a pass is made seldom, and
never where a message was delivered often.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from genpool_core import timing
from genpool_core.messages.amqp import Delivery
from genpool_core.tasks.decode import TaskDelivery, decode

#: Most messages that are held in one pass.
MOST = 2000
#: RabbitMQ's count on a message of a quorum queue.
_DELIVERIES = "x-delivery-count"


@dataclass(frozen=True)
class QueueSeen:
    """The work queue of a pool at one look. ``waited``: seconds since the last pass; None: there was none."""

    cancelled: int
    unchanged: float
    """For how many seconds it has been so many: a row of cancels ends before a pass begins."""
    ready: int
    consumers: int
    waited: float | None
    worn: bool = False
    """A message was delivered so often that its queue is better left alone."""


def may_take_out(seen: QueueSeen) -> bool:
    """Whether to make a pass now."""
    rested = seen.waited is None or seen.waited >= timing.TAKE_OUT_SECONDS
    settled = seen.unchanged >= timing.BACKLOG_SECONDS
    there = seen.cancelled > 0 and seen.ready > 0 and seen.consumers == 0
    return there and rested and settled and not seen.worn


@dataclass(frozen=True)
class SortedMessages:
    """The messages of a pass, each in the order in which they came."""

    drop: tuple[Delivery, ...]
    keep: tuple[Delivery, ...]
    dropped: frozenset[str]
    """Keys of the tasks whose messages are dropped."""
    worn: bool


def sort_out(
    deliveries: Sequence[Delivery], pool_uid: str, ended: Collection[tuple[str, int]]
) -> SortedMessages:
    """Which messages are of tasks that have ended. ``ended``: key and run of each."""
    drop, keep, dropped = [], [], set()
    for delivery in deliveries:
        task = decode(delivery, pool_uid)
        if isinstance(task, TaskDelivery) and (task.ref.key, task.ref.run) in ended:
            drop.append(delivery)
            dropped.add(task.ref.key)
        else:
            keep.append(delivery)
    worn = any(_deliveries(delivery) >= timing.DELIVERY_LIMIT // 2 for delivery in keep)
    return SortedMessages(tuple(drop), tuple(keep), frozenset(dropped), worn)


def _deliveries(delivery: Delivery) -> int:
    count = delivery.headers.get(_DELIVERIES)
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def reported(cancelled: int, ready: int | None, zero_for: float) -> int:
    """What the operator is told: never more than wait in the queue, where that is known.

    A quorum queue whose leader does not answer in time says 0: it counts once it has been so for ``zero_for`` seconds
    that are longer than that lasts. None: not known.
    """
    if ready is None:
        return cancelled
    return min(cancelled, ready) if ready or zero_for > timing.LIST_LAG_SECONDS else cancelled
