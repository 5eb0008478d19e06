"""The queue of pools to look at, and the manager around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.record import PoolRecord
from genpool_core.api.spec import GenerationPoolSpec
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import BrokerError
from genpool_operator.handlers.manager import BACKOFF, WORKERS, Manager
from genpool_operator.handlers.workqueue import Request, WorkQueue
from genpool_operator.ports import PoolKey
from genpool_operator.reconcile.observed import Memory
from genpool_operator.reconcile.plan import Plan
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from unit.operator.pools import make_pool

A, B = ("team", "a"), ("team", "b")


def taken(queue: WorkQueue, *, full: bool = True) -> Request:
    item = queue.get(full=full)
    assert item is not None
    return item


def test_the_same_request_is_in_the_queue_once() -> None:
    queue = WorkQueue()
    for _ in range(3):
        queue.add(Request(A, full=False))
    queue.add(Request(B, full=False), delay=0.01)
    assert taken(queue, full=False) == Request(A, full=False)
    queue.done(A)
    assert taken(queue, full=False) == Request(B, full=False)


def test_the_kinds_are_given_out_apart() -> None:
    queue = WorkQueue()
    queue.add(Request(A, full=True))
    queue.add(Request(B, full=False))
    assert taken(queue, full=False) == Request(B, full=False)
    assert taken(queue, full=True) == Request(A, full=True)


def test_the_earlier_time_counts_until_it_is_postponed() -> None:
    queue = WorkQueue()
    queue.add(Request(A, full=True), delay=60)
    queue.add(Request(A, full=True))
    assert taken(queue) == Request(A, full=True)
    queue.done(A)
    queue.add(Request(A, full=True))
    queue.postpone(Request(A, full=True), 60)
    queue.add(Request(B, full=True), delay=0.01)
    assert taken(queue).key == B


def test_one_pool_is_never_with_two_threads() -> None:
    queue = WorkQueue()
    queue.add(Request(A, full=True))
    queue.add(Request(A, full=False))
    queue.add(Request(B, full=False), delay=0.01)
    assert taken(queue) == Request(A, full=True)
    assert taken(queue, full=False) == Request(B, full=False)
    queue.done(A)
    assert taken(queue, full=False) == Request(A, full=False)


def test_what_comes_in_while_a_pool_is_in_hand_is_not_lost() -> None:
    queue = WorkQueue()
    queue.add(Request(A, full=False))
    taken(queue, full=False)
    queue.add(Request(A, full=False))
    queue.done(A)
    assert taken(queue, full=False) == Request(A, full=False)


def test_closing_lets_everyone_go() -> None:
    queue = WorkQueue()
    found: list[Request | None] = []
    kinds = (True, True, False)
    threads = [
        threading.Thread(target=lambda full: found.append(queue.get(full=full)), args=(full,))
        for full in kinds
    ]
    for thread in threads:
        thread.start()
    queue.close()
    for thread in threads:
        thread.join(5)
    assert found == [None, None, None]


@dataclass
class FakeReconciler:
    """Counts passes; one pool always fails, another has a bug."""

    passes: list[tuple[str, bool]] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)

    def is_known(self, _pool: GenerationPool) -> bool:
        return True

    def refuse(self, _record: PoolRecord) -> GenerationPoolStatus:
        return GenerationPoolStatus()

    def reconcile(self, pool: GenerationPool, *, full: bool) -> Plan:
        self.passes.append((pool.metadata.name, full))
        if pool.metadata.name == "failing":
            raise BrokerError("no answer")
        if pool.metadata.name == "buggy":
            raise ZeroDivisionError
        if pool.metadata.name.startswith("hanging") and full:
            self.hanging.wait(60)
        return Plan(memory=Memory(), status=GenerationPoolStatus())


@dataclass
class FakeRecords:
    names: tuple[str, ...]

    def records(self) -> Sequence[PoolRecord]:
        pools = [make_pool(name=name, uid=name) for name in self.names]
        return [
            PoolRecord(pool.metadata, pool.status, pool=None if pool.metadata.name == "unreadable" else pool)
            for pool in pools
        ]

    def record(self, key: PoolKey) -> PoolRecord | None:
        return next((record for record in self.records() if record.meta.name == key[1]), None)


@dataclass
class FakeMetrics:
    reasons: list[str] = field(default_factory=list)
    shown: list[tuple[str, str, GenerationPoolSpec | None, GenerationPoolStatus]] = field(
        default_factory=list
    )

    def took(self, seconds: float, *, full: bool) -> None:
        pass

    def failed(self, reason: str) -> None:
        self.reasons.append(reason)

    def show(
        self, namespace: str, pool: str, spec: GenerationPoolSpec | None, status: GenerationPoolStatus
    ) -> None:
        self.shown.append((namespace, pool, spec, status))


def wait(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_pool_that_fails_again_waits_longer() -> None:
    waits = [BACKOFF.seconds(failures) for failures in (1, 2, 3, 6, 7, 8, 5000)]
    assert waits == [1, 2, 4, 32, 60, 60, 60]


def test_a_pool_that_fails_and_one_with_a_bug_do_not_stop_the_others() -> None:
    reconciler, metrics = FakeReconciler(), FakeMetrics()
    records, requests = FakeRecords(("failing", "buggy", "good")), WorkQueue()
    manager = Manager(records, cast("PoolReconciler", reconciler), metrics, requests)
    assert manager.unhealthy() is None
    assert not manager.started
    manager.synced()
    assert manager.started
    try:
        wait(lambda: reconciler.passes.count(("good", False)) >= 2)
        assert manager.unhealthy() is None
        assert ("good", True) in reconciler.passes
        # Ticks go on for the one that fails; its full pass is tried again after a wait that grows.
        wait(lambda: reconciler.passes.count(("failing", False)) >= 2)
        assert {"BrokerUnreachable", "Bug"} <= set(metrics.reasons)
        passes = reconciler.passes.count(("good", True))
        requests.request(("default", "good"), full=True)
        wait(lambda: reconciler.passes.count(("good", True)) == passes + 1)
    finally:
        manager.stop()
    assert manager.unhealthy() is not None


def test_the_figures_of_a_pool_that_cannot_be_read_any_more_are_renewed() -> None:
    metrics = FakeMetrics()
    records = FakeRecords(("unreadable",))
    manager = Manager(records, cast("PoolReconciler", FakeReconciler()), metrics, WorkQueue())
    manager.synced()
    try:
        wait(lambda: bool(metrics.shown))
        assert metrics.shown[0] == ("team", "unreadable", None, GenerationPoolStatus())
    finally:
        manager.stop()


def test_full_passes_that_hang_stop_no_quick_ones() -> None:
    reconciler = FakeReconciler()
    records = FakeRecords(("good", *(f"hanging-{number}" for number in range(WORKERS))))
    manager = Manager(records, cast("PoolReconciler", reconciler), FakeMetrics(), WorkQueue())
    manager.synced()
    try:
        wait(lambda: sum(full for name, full in reconciler.passes if name != "good") == WORKERS)
        passes = reconciler.passes.count(("good", False))
        wait(lambda: reconciler.passes.count(("good", False)) >= passes + 2)
        assert manager.unhealthy() is None
        manager._last_done[True] -= timing.STUCK_SECONDS + 1
        assert "all 4 threads for full passes" in str(manager.unhealthy())
    finally:
        reconciler.hanging.set()
        manager.stop()


def test_a_pool_without_a_full_pass_gets_no_quick_one() -> None:
    """It would be a full one in truth, with its requests to the broker, in a thread that scales other pools."""
    reconciler = FakeReconciler()
    reconciler.is_known = lambda pool: pool.metadata.name != "new"  # type: ignore[method-assign]
    manager = Manager(
        FakeRecords(("good", "new")), cast("PoolReconciler", reconciler), FakeMetrics(), WorkQueue()
    )
    manager.synced()
    try:
        wait(lambda: reconciler.passes.count(("good", False)) >= 2)
        assert ("new", True) in reconciler.passes
        assert ("new", False) not in reconciler.passes
    finally:
        manager.stop()
