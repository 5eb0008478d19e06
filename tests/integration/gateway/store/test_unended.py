"""Tasks that are to end are found by index, and messages that are left are counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from genpool_core.messages.base import PoolRef
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.store.unended import unended_statements
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import TaskRecord
from support.task_changes import POOL, accepting, at, change, end_record, key

OTHER = PoolRef(namespace="team", name="texts", uid="uid-2")


def limited(
    name: str, *, pool: PoolRef = POOL, start: float | None = None, end: float | None = None
) -> TaskRecord:
    record = accepting(name, pool=pool)
    assert record.submission is not None
    limits = replace(
        record.submission,
        start_by=None if start is None else at(start),
        end_by=None if end is None else at(end),
    )
    return replace(record, submission=limits)


@pytest.fixture
def filled(store: TaskStore) -> TaskStore:
    group = [
        limited("asked"),
        limited("late", start=5),
        limited("begun", start=5, end=20),
        limited("done", start=5, end=5),
        limited("other", pool=OTHER, end=3),
        limited("free"),
    ]
    store.accepting.accept([NewTask(each) for each in group], {}, at(0))
    store.accepting.published([each.id for each in group])
    store.events.apply([change("begun", "claimed", seconds=1), change("done", "ended", seconds=2)])
    for name in ("asked", "done"):
        store.events.request_cancel(key(name), at(1))
    return store


def names_of(records: list[TaskRecord]) -> list[str]:
    return [record.task_id for record in records]


def test_what_has_waited_longest_comes_first(filled: TaskStore) -> None:
    find = filled.unended.unended
    assert names_of(find(at(0), limit=9)) == []
    assert names_of(find(at(4), limit=9)) == ["asked", "other"]
    assert names_of(find(at(10), limit=9)) == ["asked", "other", "late"]
    assert names_of(find(at(10), limit=2)) == ["asked", "other"]
    assert names_of(find(at(30), limit=9)) == ["asked", "other", "late", "begun"]
    assert names_of(find(at(30), limit=9, but_pools={POOL.uid})) == ["other"]


def test_all_that_are_due_are_counted_each_once(filled: TaskStore) -> None:
    filled.events.request_cancel(key("late"), at(1))
    assert [filled.unended.count_unended(at(seconds)) for seconds in (0, 4, 10, 30)] == [0, 3, 3, 4]


def test_each_is_found_by_an_index_of_its_own(sqlite_url: str) -> None:
    from genpool_gateway.store.opening import open_store  # noqa: PLC0415 - the other tests have a fixture

    store = open_store(sqlite_url)
    wanted = ("tasks_to_cancel", "tasks_to_start", "tasks_to_end")
    with store.database.reading() as connection:
        for statement, index in zip(unended_statements(at(0), 10, ()), wanted, strict=True):
            compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
            assert any(index in str(row) for row in plan), plan
    store.close()


def test_messages_are_left_until_somebody_has_dropped_them(filled: TaskStore) -> None:
    unended = filled.unended
    cancelled = end_record("asked", "cancelled", worker="", attempt=0)
    unended.message_left(key("asked"))
    unended.message_left(key("begun"))
    assert unended.count_messages_left() == {}
    filled.events.apply(
        [
            change("asked", "ended", seconds=3, end=cancelled),
            change("begun", "ended", seconds=3),
        ]
    )
    # A mark outlives other changes of its task; one of a task that its worker has ended counts for nothing.
    assert unended.count_messages_left() == {POOL.uid: 1}
    assert unended.messages_left(POOL.uid) == {(key("asked"), 1)}
    assert unended.messages_left(OTHER.uid) == set()
    for _ in range(2):
        unended.message_dropped([key("asked"), key("begun"), key("unknown")])
        assert unended.count_messages_left() == {}
