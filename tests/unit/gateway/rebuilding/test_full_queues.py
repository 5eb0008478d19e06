"""A full events queue is noted before its events are taken, and read back from the ledgers once it is full no more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from genpool_core.errors import BrokerError, StorageError, TaskStoreError
from genpool_core.ledger.records import EndRecord
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.rebuilding.decide import due, is_full
from genpool_gateway.rebuilding.full_queues import FullQueues, VhostName
from genpool_gateway.rebuilding.ledgers import GROUP
from genpool_gateway.rebuilding.rebuilder import Rebuilder
from genpool_gateway.tasks.change import Change
from genpool_gateway.tasks.record import StoredEvent
from support.pool_objects import directory, pool_object
from unit.gateway.intake.samples import Pools

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
VHOST = ("default", "pictures")
FOUND = directory(pool_object("a", uid="uid-a"), pool_object("b", uid="uid-b"))


@dataclass
class Queue:
    """An events queue."""

    counts: list[int | BrokerError | None]
    store: Store
    name: VhostName = VHOST
    begun: list[dict[str, datetime]] = field(default_factory=list)
    """What was noted when its events were first taken."""

    def count(self) -> int | None:
        count = self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]
        if isinstance(count, BrokerError):
            raise count
        return count

    def begin(self) -> None:
        self.begun.append(dict(self.store.lost))


@dataclass
class Store:
    """The notes. ``away``: the database."""

    lost: dict[str, datetime] = field(default_factory=dict)
    away: bool = False
    others: bool = False

    def events_lost(self, pools: Collection[str], at: datetime) -> None:
        if self.away:
            raise TaskStoreError("away.")
        self.lost |= dict.fromkeys(pools, at)

    def to_rebuild(self) -> dict[str, datetime]:
        return dict(self.lost)

    def rebuilt(self, pool: str, lost_at: datetime) -> None:
        if self.lost[pool] <= lost_at:
            del self.lost[pool]

    @contextmanager
    def alone(self) -> Iterator[bool]:
        yield not self.others


@dataclass
class Counts:
    full: dict[VhostName, bool] = field(default_factory=dict)
    waiting: int = 0
    outcomes: list[str] = field(default_factory=list)

    def events_full(self, vhost: VhostName, *, yes: bool) -> None:
        self.full[vhost] = yes

    def to_rebuild(self, pools: int) -> None:
        self.waiting = pools

    def rebuilt(self, outcome: str) -> None:
        self.outcomes.append(outcome)


def looks(
    *counts: int | BrokerError | None, pools: PoolDirectory | PoolsUnknown = FOUND, away: bool = False
) -> tuple[FullQueues, Queue]:
    store = Store(away=away)
    queue = Queue(list(counts), store)
    made = FullQueues([queue], cast("Any", Pools(pools)), store, Counts(), now=lambda: NOW, most=100)
    return made, queue


@pytest.mark.parametrize(("count", "full"), [(0, False), (89, False), (90, True), (100, True), (101, True)])
def test_a_queue_counts_as_full_before_it_drops(count: int, *, full: bool) -> None:
    assert is_full(count, 100) is full


def test_what_is_full_still_is_read_later_and_the_longest_waiting_first() -> None:
    lost = {"a": NOW, "b": NOW - timedelta(hours=1), "c": NOW - timedelta(hours=2)}
    assert due(lost, ()) == ["c", "b", "a"]
    assert due(lost, {"c", "x"}) == ["b", "a"]


@pytest.mark.parametrize(
    ("counts", "begun"),
    [
        ([100], [{"uid-a": NOW, "uid-b": NOW}]),
        ([3], [{}]),
        ([None], [{}]),
        ([BrokerError("not connected.")], []),
        ([BrokerError("not connected."), 95], [{"uid-a": NOW, "uid-b": NOW}]),
    ],
)
def test_events_are_taken_once_their_queue_was_counted(
    counts: list[int | BrokerError | None], begun: list[dict[str, datetime]]
) -> None:
    made, queue = looks(*counts)
    for _ in range(2):
        made.look()
    assert queue.begun == begun


@pytest.mark.parametrize("trouble", ["store", "pools"])
def test_a_loss_that_cannot_be_noted_keeps_the_events_where_they_are(trouble: str) -> None:
    made, queue = looks(
        100, away=trouble == "store", pools=PoolsUnknown("?") if trouble == "pools" else FOUND
    )
    made.look()
    assert queue.begun == []
    fine, empty = looks(1, pools=PoolsUnknown("?"))
    fine.look()
    assert len(empty.begun) == 1, "what is not full needs no pools"


def test_a_queue_that_is_full_no_more_says_so() -> None:
    made, _ = looks(100, BrokerError("away."), 10)
    made.look()
    assert made.full == {VHOST}
    made.look()
    assert made.full == {VHOST}, "not known is not empty"
    made.look()
    assert made.full == frozenset()


# Reading the ledgers -----------------------------------------------------------------------------------------------


@dataclass
class World:
    """Ledgers by pool, and what was stored of them."""

    ends: dict[str, list[EndRecord] | StorageError | None]
    store: Store = field(default_factory=Store)
    counts: Counts = field(default_factory=Counts)
    full: set[VhostName] = field(default_factory=set)
    applied: list[int] = field(default_factory=list)
    time: float = 0.0

    def ledger(self, config: Any) -> Any:  # noqa: ANN401 - of a pool
        found = self.ends[config.pool.uid]
        return None if found is None else _Ledger(found)

    def apply(self, changes: Collection[Change]) -> list[StoredEvent]:
        self.applied.append(len(changes))
        return []

    def rebuilder(self) -> Rebuilder:
        made = Rebuilder(
            cast("Any", Pools(FOUND)), self, cast("Any", self), self.store, self.counts, lambda: self.full
        )
        made._clock = lambda: self.time
        return made


@dataclass
class _Ledger:
    found: list[EndRecord] | StorageError

    def ends(self) -> Iterator[EndRecord]:
        if isinstance(self.found, StorageError):
            raise self.found
        yield from self.found


def ends(count: int) -> list[EndRecord]:
    return [
        EndRecord(
            task_key=f"{number:040x}",
            task_id="t",
            run=1,
            attempt=1,
            nonce="n",
            outcome="succeeded",
            reason="Succeeded",
            message="made 1 file.",
            worker="pod-1",
            ended_at=NOW,
        )
        for number in range(count)
    ]


def test_each_ledger_is_read_once_in_groups() -> None:
    world = World({"uid-a": ends(GROUP + 1), "uid-b": []})
    world.store.events_lost(["uid-a", "uid-b", "gone"], NOW)
    made = world.rebuilder()
    for _ in range(2):
        made.look()
    assert world.applied == [GROUP, 1]
    assert world.counts.outcomes == ["read", "read"]
    assert (world.store.lost, made.remark(), world.counts.waiting) == ({"gone": NOW}, None, 0)


@pytest.mark.parametrize("why", ["full still", "another gateway"])
def test_it_waits_until_its_queue_is_full_no_more_and_no_other_gateway_reads(why: str) -> None:
    world = World({"uid-a": ends(1), "uid-b": ends(1)})
    world.store.events_lost(["uid-a"], NOW)
    world.full = {VHOST} if why == "full still" else set()
    world.store.others = why == "another gateway"
    made = world.rebuilder()
    made.look()
    assert (world.applied, world.counts.waiting) == ([], 1)
    assert "team/a" in str(made.remark())
    world.full, world.store.others = set(), False
    made.look()
    assert (world.applied, world.store.lost, made.remark()) == ([1], {}, None)


@pytest.mark.parametrize("fault", [StorageError("the bucket does not answer."), None])
def test_a_ledger_that_cannot_be_read_is_tried_later_and_holds_up_no_other(
    fault: StorageError | None,
) -> None:
    world = World({"uid-a": fault, "uid-b": ends(1)})
    world.store.events_lost(["uid-a", "uid-b"], NOW)
    made = world.rebuilder()
    for _ in range(3):
        made.look()
    assert world.counts.outcomes == ["failed", "read"]
    world.ends["uid-a"], world.time = ends(2), 31.0
    made.look()
    assert (world.counts.outcomes[2:], world.applied, world.store.lost) == (["read"], [1, 2], {})


def test_what_was_lost_while_it_read_is_read_again() -> None:
    world = World({"uid-a": [], "uid-b": []})
    world.store.events_lost(["uid-a"], NOW)

    class Late(_Ledger):
        def ends(self) -> Iterator[EndRecord]:
            world.store.lost["uid-a"] = NOW + timedelta(seconds=5)
            return iter(())

    world.ledger = lambda _config: Late([])  # type: ignore[method-assign]
    world.rebuilder().look()
    assert world.store.lost == {"uid-a": NOW + timedelta(seconds=5)}
