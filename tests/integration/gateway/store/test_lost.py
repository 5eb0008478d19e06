"""Tasks of which nothing is heard any more: found by what was heard last, and published again."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from genpool_gateway.store.lost import unheard_statements
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import TaskState
from support.task_changes import POOL, accepting, at, change, key


def queued(store: TaskStore, *names: str, published: bool = True) -> None:
    for number, name in enumerate(names):
        store.accepting.accept([NewTask(accepting(name, seconds=number))], {}, at(0))
    if published:
        store.accepting.published([key(name) for name in names])


def unheard(store: TaskStore, seconds: float = 60, limit: int = 10) -> list[str]:
    return [each.id for each in store.lost.unheard_of(POOL.uid, before=at(seconds), limit=limit)]


def test_what_was_heard_last_counts(store: TaskStore) -> None:
    queued(store, "waits", "runs", "waits again", "ended")
    queued(store, "in doubt", published=False)
    claims = [change(name, "claimed", seconds=5) for name in ("runs", "waits again", "ended", "plain")]
    store.events.apply(claims)
    store.events.apply([change("waits again", "retried", seconds=50), change("ended", "ended", seconds=9)])
    assert unheard(store) == [key("waits"), key("runs"), key("waits again")]
    assert unheard(store, 10) == [key("waits"), key("runs")]
    assert unheard(store, 4) == [key("waits")]
    assert unheard(store, -1) == []
    assert len(unheard(store, limit=2)) == 2
    assert store.lost.unheard_of("uid-2", before=at(60), limit=10) == []


def test_it_is_published_as_one_whose_outcome_is_not_known(store: TaskStore) -> None:
    queued(store, "waits", "runs", "ended", "cancelled")
    store.events.apply([change("runs", "claimed", seconds=5), change("ended", "ended", seconds=9)])
    store.events.request_cancel(key("cancelled"), at(9))
    store.lost.publish_again([key(name) for name in ("waits", "runs", "ended", "cancelled", "unknown")])
    found = store.accepting.unpublished(older_than=at(100), limit=10)
    assert [each.id for each in found] == [key("waits"), key("runs")]
    assert all(each.submission is not None and each.submission.body for each in found)
    assert unheard(store) == [key("cancelled")]
    store.accepting.published([key("waits"), key("runs")])
    assert store.events.apply([change("runs", "claimed", seconds=99, attempt=2)])
    runs = store.reader.get(key("runs"))
    assert runs is not None
    assert (runs.state, runs.position.attempt) == (TaskState.RUNNING, 2)


def test_a_next_run_is_new(store: TaskStore) -> None:
    queued(store, "a")
    store.events.apply([change("a", "ended", seconds=9), change("a", "accepted", seconds=500, run=2)])
    assert unheard(store, 60) == []
    assert unheard(store, 500) == [key("a")]


def test_each_is_found_by_an_index_of_its_own(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.database.reading() as connection:
        for statement, index in zip(
            unheard_statements(POOL.uid, at(0), 10), ("tasks_waiting", "tasks_begun"), strict=True
        ):
            compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
            assert any(index in str(row) for row in plan), plan
    store.close()
