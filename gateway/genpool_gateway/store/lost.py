"""Tasks of which nothing is heard any more, and that are to be published again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update

from genpool_gateway.store.database import Database
from genpool_gateway.store.overtaken import until_not_overtaken
from genpool_gateway.store.queries import chunks, lock_tasks, read_records
from genpool_gateway.store.tables import BEGUN, WAITING, task_contents, task_events, tasks
from genpool_gateway.tasks.record import TaskRecord, TaskState

_PUBLISHED = (TaskState.QUEUED.value, TaskState.RUNNING.value)


class SqlLostStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unheard_of(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        """As the port says."""
        with self._database.reading() as connection:
            ids: list[str] = []
            for statement in unheard_statements(pool_uid, before, limit):
                ids += connection.execute(statement).scalars()
            records = read_records(connection, ids[:limit], bodies=False)
        return [records[task] for task in ids if task in records]

    def publish_again(self, tasks: Collection[str]) -> None:
        """As the port says."""
        if tasks:
            until_not_overtaken(lambda: self._publish_again(tasks))

    def _publish_again(self, ids: Collection[str]) -> None:
        with self._database.writing() as connection:
            lock_tasks(connection, ids)
            for part in chunks(ids):
                statement = update(tasks).where(
                    tasks.c.id.in_(part), tasks.c.state.in_(_PUBLISHED), tasks.c.cancel_requested_at.is_(None)
                )
                connection.execute(statement.values(state=TaskState.ACCEPTING.value))


def unheard_statements(pool_uid: str, before: datetime, limit: int) -> list[Select[Any]]:
    """One statement for each index, the oldest tasks first."""
    last = (task_events.c.task == tasks.c.id) & (task_events.c.number == tasks.c.last_event)
    wanted = (
        tasks.c.pool_uid == pool_uid,
        tasks.c.state.in_(_PUBLISHED),
        task_contents.c.body.is_not(None),
        task_events.c.time <= before,
    )
    found = (
        select(tasks.c.id)
        .join(task_events, last)
        .join(task_contents, task_contents.c.task == tasks.c.id)
        .where(*wanted)
        .limit(limit)
    )
    # Nobody is heard of before it is made, so that of many that wait only the old ones are looked at.
    waiting = found.where(WAITING, tasks.c.created_at <= before).order_by(tasks.c.created_at, tasks.c.id)
    return [waiting, found.where(BEGUN)]
