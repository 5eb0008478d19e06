"""Figures by owner, pool, workflow and day."""

from __future__ import annotations

import pytest

from genpool_core.ledger.records import Times
from genpool_core.messages.base import PoolRef
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.ports import NewTask, UsageRow
from support.task_changes import POOL, accepting, at, change, end_record

OTHER = PoolRef(namespace="team", name="texts", uid="uid-2")
DAY = 24 * 3600


@pytest.fixture
def ended(store: TaskStore) -> TaskStore:
    """Anna's a waited 3 s, b 9 s; d ended a day later; c and e are a producer's, c dead, e in another pool."""
    store.accepting.accept([NewTask(accepting(name)) for name in "abd"], {}, at(0))
    unknown = Times()
    store.events.apply(
        [
            change("a", "ended", seconds=20, end=end_record("a", times=Times(enqueued=at(1), claimed=at(4)))),
            change(
                "b", "ended", seconds=21, end=end_record("b", times=Times(claimed=at(9)), gpu_seconds=None)
            ),
            change("d", "ended", seconds=DAY, end=end_record("d")),
            change("c", "ended", seconds=22, end=end_record("c", "dead", times=unknown)),
            change(
                "e", "ended", seconds=23, pool=OTHER, workflow="plain", end=end_record("e", workflow="plain")
            ),
            change("f", "claimed", seconds=24),
        ]
    )
    return store


def usage(store: TaskStore, **changes: object) -> list[UsageRow]:
    values = {
        "since": at(-DAY),
        "until": at(9 * DAY),
        "owner": None,
        "pools": None,
        "sla_seconds": {"uid-1": 5},
    }
    return store.usage.usage(**{**values, **changes})  # type: ignore[arg-type]


def test_sums(ended: TaskStore) -> None:
    assert sorted(usage(ended), key=lambda row: (row.day, row.owner is None, row.pool_uid)) == [
        UsageRow("anna", "uid-1", "portrait", "2026-03-01", 2, 2, 2.5, 2, 1),
        UsageRow(None, "uid-1", "portrait", "2026-03-01", 1, 0, 2.5, 0, 0),
        UsageRow(None, "uid-2", "plain", "2026-03-01", 1, 1, 2.5, 1, None),
        UsageRow("anna", "uid-1", "portrait", "2026-03-02", 1, 1, 2.5, 1, 1),
    ]


def test_filters(ended: TaskStore) -> None:
    def counts(**filters: object) -> list[int]:
        return [row.tasks for row in usage(ended, **filters)]

    assert counts(owner="anna") == [2, 1]
    assert counts(pools=["uid-2"]) == [1]
    assert counts(pools=[]) == []
    assert counts(since=at(21), until=at(22)) == [1]
    assert counts(owner="anna", since=at(22)) == [1]


def test_without_any_limit_nothing_is_within_it(ended: TaskStore) -> None:
    assert {row.within_sla for row in usage(ended, sla_seconds={})} == {None}


def test_what_a_replay_has_not_ended_yet_is_counted_no_more(ended: TaskStore) -> None:
    ended.events.apply([change("a", "claimed", run=2, seconds=30)])
    assert [row.tasks for row in usage(ended, owner="anna", pools=[POOL.uid])] == [1, 1]
