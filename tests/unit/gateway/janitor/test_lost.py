"""Messages that the broker has lost: their tasks are published again, once nothing else can be the matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from genpool_adapters.amqp.values import QueueCount
from genpool_core import names, timing
from genpool_core.api.status import QueueStatus
from genpool_core.ledger import keys
from genpool_gateway.janitor.lost import LostTasks, Retries, says_idle
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.tasks.record import TaskRecord, TaskState
from integration.gateway.api import POOL
from unit.gateway.janitor.test_ending import claim, end
from unit.gateway.janitor.world import World
from unit.gateway.samples import NOW, record

LATER = NOW + timedelta(seconds=timing.LOST_SECONDS + 1)
IDLE = QueueStatus(waiting=0, running=0, observed_at=LATER)
EMPTY = QueueCount(ready=0, consumers=1)


@dataclass
class Clock:
    now: datetime = LATER
    seconds: float = 1000.0

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


def queued(**fields: Any) -> TaskRecord:  # noqa: ANN401 - of the record
    return record(**{"pool": POOL, "state": TaskState.QUEUED, **fields})


def world(queue: QueueStatus = IDLE, **fields: Any) -> World:  # noqa: ANN401 - of the world
    made = World(**{"counts": EMPTY, "unheard": [queued()], **fields})
    pools = [
        replace(pool, status=pool.status.model_copy(update={"queue": queue})) for pool in made.directory.pools
    ]
    made.directory = PoolDirectory.of(pools)
    return made


def lost(place: World, clock: Clock) -> LostTasks:
    return LostTasks(
        place,  # type: ignore[arg-type]
        place,
        place,
        place,
        place.announcer(),
        now=lambda: clock.now,
        monotonic=lambda: clock.seconds,
    )


def looks(place: World, seconds: float = timing.LOST_SECONDS) -> World:
    """Look for so long, as often as the gateway does."""
    clock = Clock()
    looking = lost(place, clock)
    for _ in range(int(seconds / timing.LOST_LOOK_SECONDS) + 1):
        looking.look()
        clock.passes(timing.LOST_LOOK_SECONDS)
    return place


def test_what_was_lost_with_its_queue_is_published_again() -> None:
    place = world()
    assert looks(place, timing.LOST_SECONDS / 2).again == []
    assert looks(place).again == [queued().id]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"queue": QueueStatus(waiting=1, running=0, observed_at=LATER)}, id="some wait"),
        pytest.param({"queue": QueueStatus(waiting=0, running=1, observed_at=LATER)}, id="one is running"),
        pytest.param({"queue": QueueStatus(waiting=0, observed_at=LATER)}, id="how many run is not known"),
        pytest.param({"queue": QueueStatus(running=0, observed_at=LATER)}, id="how many wait is not known"),
        pytest.param({"queue": QueueStatus(waiting=0, running=0)}, id="the operator has not looked"),
        pytest.param({"queue": IDLE.model_copy(update={"observed_at": NOW - timedelta(hours=1)})}, id="away"),
        pytest.param({"counts": QueueCount(ready=1, consumers=0)}, id="the broker has some"),
        pytest.param({"counts": None}, id="the queue is missing still"),
        pytest.param({"delayed": 1}, id="one waits in a delay step"),
        pytest.param({"watch": "the watch is broken."}, id="pools may have changed"),
        pytest.param({"unheard": [queued(created_at=LATER)]}, id="it is new"),
    ],
)
def test_what_may_be_somewhere_is_left_alone(fields: dict[str, Any]) -> None:
    assert looks(world(**fields)).again == []


def test_a_queue_that_had_something_meanwhile_is_watched_anew() -> None:
    place, clock = world(), Clock()
    looking = lost(place, clock)
    looking.look()
    clock.passes(timing.LOST_SECONDS)
    place.counts = QueueCount(ready=1, consumers=0)
    looking.look()
    place.counts = EMPTY
    looking.look()
    assert place.again == []
    clock.passes(timing.LOST_SECONDS)
    looking.look()
    assert place.again == [queued().id]


def test_one_that_a_worker_has_in_hand_is_not() -> None:
    place = world()
    key = keys.claim_key("", queued().id, 1, 1)
    place.objects[key] = claim().model_dump_json().encode()
    assert looks(place).again == []
    place.ages[key] = timing.LEASE_SECONDS + 1
    assert looks(place).again == [queued().id]


@pytest.mark.parametrize("worker", ["pod-1", ""])
def test_an_end_that_was_not_heard_of_is_stored(worker: str) -> None:
    place = world()
    place.task = queued()
    standing = end(worker).model_copy(update={"task_key": place.task.id})
    place.objects[keys.end_key("", place.task.id, 1)] = standing.model_dump_json().encode()
    looks(place)
    assert (place.again, place.task.state) == ([], TaskState.ENDED)
    told = [message.exchange for message in place.published]
    assert told == ([] if worker else [names.EVENTS_EXCHANGE] * len(told))
    assert bool(told) is not bool(worker)


def test_a_bucket_that_is_not_listed_is_the_workers_to_read() -> None:
    assert looks(world(listed=False)).again == [queued().id]


def test_one_that_nobody_says_anything_of_is_published_ever_less_often() -> None:
    tried, times, now = Retries(), [], 0.0
    while now < 24 * 3600:
        if tried.may("a", now):
            times.append(now)
            tried.again(["a"], now)
        now += timing.LOST_LOOK_SECONDS
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[0] == timing.LOST_SECONDS
    assert waits == sorted(waits)
    assert waits[-1] == timing.LOST_MOST_SECONDS
    tried.forget(now + 2 * timing.LOST_MOST_SECONDS + 1)
    assert tried == Retries()


def test_what_the_operator_says_holds_for_a_while() -> None:
    silent = timedelta(seconds=timing.POOL_STATUS_SILENT_SECONDS)
    assert says_idle(IDLE, LATER + silent)
    assert not says_idle(IDLE, LATER + silent + timedelta(seconds=1))
