"""Figures of pools over time: one row for each pool and minute, and what tasks did, counted in steps."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from genpool_core.ledger.records import Times
from genpool_core.messages.base import PoolRef
from genpool_gateway.pools.samples import Figures, Flow, PoolSample, moment_of
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.store.tables import pool_samples
from genpool_gateway.tasks.ports import NewTask
from support.task_changes import POOL, accepting, at, change, end_record

MINUTE = timedelta(minutes=1)
BEGIN = moment_of(at(0), 3600)
OTHER = PoolRef(namespace="team", name="texts", uid="uid-2")


def _rows(store: TaskStore) -> int:
    with store.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(pool_samples)).scalar_one())


def test_the_first_sample_of_a_minute_counts_whoever_made_it(store: TaskStore) -> None:
    mine = Figures(waiting=0, running=None, pods_wanted=3)
    store.samples.add([PoolSample("b", BEGIN, Figures(pods=1)), PoolSample("a", BEGIN, mine)])
    store.samples.add(
        [PoolSample("a", BEGIN, Figures(waiting=9)), PoolSample("a", BEGIN + MINUTE, Figures())]
    )
    found = store.samples.samples("a", [BEGIN, BEGIN + MINUTE, BEGIN + 2 * MINUTE])
    assert found == {BEGIN: mine, BEGIN + MINUTE: Figures()}
    assert store.samples.samples("c", [BEGIN]) == {}


def test_many_times_are_read_at_once(store: TaskStore) -> None:
    times = [BEGIN + MINUTE * number for number in range(2016)]
    store.samples.add([PoolSample("a", time, Figures(waiting=1)) for time in times])
    assert len(store.samples.samples("a", times)) == len(times)


def test_what_is_old_is_thinned_and_then_goes(store: TaskStore) -> None:
    hours = [BEGIN + MINUTE * number for number in range(180)]
    store.samples.add([PoolSample(uid, time, Figures(waiting=1)) for time in hours for uid in "ab"])
    keep_from, fine_from = hours[60], hours[120]
    gone = []
    while not gone or gone[-1] == 50:
        gone.append(store.samples.thin(keep_from=keep_from, fine_from=fine_from, limit=50))
    assert sum(gone) == 60 + 56
    assert sorted(store.samples.samples("a", hours)) == [*hours[60:120:15], *hours[120:]]
    assert _rows(store) == 2 * (4 + 60)
    assert store.samples.thin(keep_from=keep_from, fine_from=fine_from, limit=50) == 0


def test_tasks_are_counted_in_the_step_in_which_they_came_or_ended(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting(name)) for name in "ab"], {}, at(0))
    store.accepting.accept([NewTask(accepting("c", seconds=61))], {}, at(61))
    waited = end_record("a", times=Times(enqueued=at(1), claimed=at(4)))
    longer = end_record("b", times=Times(enqueued=at(1), claimed=at(10)))
    unknown = end_record("p", times=Times())
    store.events.apply(
        [
            change("a", "ended", seconds=20, end=waited),
            change("b", "ended", seconds=21, end=longer),
            change("p", "ended", seconds=62, end=unknown),
            change("o", "ended", seconds=3, pool=OTHER, end=end_record("o")),
        ]
    )
    window = {"since": BEGIN, "until": BEGIN + 3 * MINUTE, "step": MINUTE}
    assert store.samples.flow(POOL.uid, **window) == {
        BEGIN: Flow(arrivals=2, waits_known=2, wait_mean=6.0, wait_longest=9.0),
        BEGIN + MINUTE: Flow(arrivals=2, arrivals_plain=1),
    }
    later = {**window, "since": BEGIN + MINUTE}
    assert store.samples.flow(POOL.uid, **later) == {BEGIN + MINUTE: Flow(arrivals=2, arrivals_plain=1)}
