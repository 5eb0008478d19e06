"""Which tasks are looked at, and when again."""

from __future__ import annotations

from genpool_core import timing
from genpool_gateway.janitor.sweeper import Agenda


def test_a_task_is_under_way_once_and_rests_after_a_look() -> None:
    agenda = Agenda()
    assert agenda.begin("a")
    assert not agenda.begin("a")
    agenda.done("a", "pool", again=10.0)
    assert not agenda.begin("a")
    assert agenda.resting(9.0) == set()
    assert not agenda.begin("a")
    agenda.resting(10.0)
    assert agenda.begin("a")


def test_a_pool_whose_bucket_is_away_rests_longer_each_time() -> None:
    agenda, now = Agenda(), 0.0
    waits = []
    for _ in range(7):
        agenda.begin("a")
        agenda.failed("a", "pool", now, whole_pool=True)
        assert agenda.resting(now) == {"pool"}
        waits.append(agenda.pools["pool"] - now)
        now = agenda.pools["pool"]
    assert waits[0] == timing.END_RETRY_SECONDS
    assert waits == sorted(waits)
    assert waits[-1] == timing.END_RETRY_MOST_SECONDS
    agenda.begin("a")
    agenda.done("a", "pool", again=now)
    assert agenda.resting(now) == set()
    assert agenda.failures == {}


def test_one_unreadable_task_stops_no_other_of_its_pool() -> None:
    agenda = Agenda()
    agenda.begin("a")
    agenda.failed("a", "pool", 0.0, whole_pool=False)
    assert agenda.resting(0.0) == set()
    assert not agenda.begin("a")
    assert agenda.begin("b")
