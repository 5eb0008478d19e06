"""Statements that several rooms of the store use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from genpool_core import timing
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.store.queries import insert_new
from genpool_gateway.store.tables import idempotency
from genpool_gateway.tasks.ports import NewTask
from support.task_changes import accepting, at, key


def _promise(name: str, task: str) -> dict[str, Any]:
    about = {"owner": "ann", "pool_uid": "pool", "digest": "d", "expires_at": at(timing.IDEMPOTENCY_SECONDS)}
    return {"key": name, "task": task, **about}


def test_rows_that_are_there_stay_and_do_not_count(store: TaskStore) -> None:
    first, second = key("first"), key("second")
    store.accepting.accept([NewTask(accepting("first")), NewTask(accepting("second"))], {}, at(0))
    with store.database.writing() as connection:
        assert insert_new(connection, idempotency, []) == 0
        assert insert_new(connection, idempotency, [_promise("b", first)]) == 1
        group = [_promise(each, second) for each in "abc"]
        assert insert_new(connection, idempotency, group) == 2
        assert insert_new(connection, idempotency, group) == 0
        found = connection.execute(select(idempotency.c.key, idempotency.c.task)).all()
    assert sorted(map(tuple, found)) == [("a", second), ("b", first), ("c", second)]
