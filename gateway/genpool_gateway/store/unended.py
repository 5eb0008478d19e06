"""Tasks that are to end, and messages of tasks that the gateway has ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, union, update

from genpool_gateway.store.database import Database
from genpool_gateway.store.overtaken import until_not_overtaken
from genpool_gateway.store.queries import chunks, lock_tasks, read_records
from genpool_gateway.store.tables import MESSAGE_LEFT, TO_CANCEL, TO_END, TO_START, tasks
from genpool_gateway.tasks.record import TaskRecord

#: Since when a task is to end, and the index of such tasks.
_DUE = ((tasks.c.cancel_requested_at, TO_CANCEL), (tasks.c.start_by, TO_START), (tasks.c.end_by, TO_END))


class SqlUnendedStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unended(self, now: datetime, *, limit: int, but_pools: Collection[str] = ()) -> list[TaskRecord]:
        """As the port says."""
        found: dict[str, datetime] = {}
        with self._database.reading() as connection:
            for statement in unended_statements(now, limit, but_pools):
                for task, since in connection.execute(statement):
                    found[task] = min(since, found.get(task, since))
            wanted = sorted(found, key=lambda task: (found[task], task))[:limit]
            records = read_records(connection, wanted, bodies=False)
        return [records[task] for task in wanted if task in records]

    def count_unended(self, now: datetime) -> int:
        """As the port says. A task may be due for several reasons: it is one."""
        due = union(*(select(tasks.c.id).where(condition, column <= now) for column, condition in _DUE))
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(due.subquery())).scalar_one())

    def message_left(self, task: str) -> None:
        """As the port says."""
        self._mark([task], left=1)

    def message_dropped(self, tasks: Collection[str]) -> None:
        """As the port says."""
        if tasks:
            self._mark(tasks, left=0)

    def messages_left(self, pool_uid: str) -> set[tuple[str, int]]:
        """As the port says."""
        statement = select(tasks.c.id, tasks.c.run).where(*_left(), tasks.c.pool_uid == pool_uid)
        with self._database.reading() as connection:
            return {(row.id, row.run) for row in connection.execute(statement)}

    def count_messages_left(self) -> dict[str, int]:
        """As the port says."""
        statement = select(tasks.c.pool_uid, func.count()).where(*_left()).group_by(tasks.c.pool_uid)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def _mark(self, ids: Collection[str], *, left: int) -> None:
        def mark() -> None:
            with self._database.writing() as connection:
                lock_tasks(connection, ids)
                for part in chunks(ids):
                    changed = (tasks.c.id.in_(part), tasks.c.message_left != left)
                    connection.execute(update(tasks).where(*changed).values(message_left=left))

        until_not_overtaken(mark)


def _left() -> tuple[Any, ...]:
    """What counts: the mark is made before the end, and a worker may have made another one meanwhile."""
    return MESSAGE_LEFT, tasks.c.outcome.in_(("cancelled", "expired"))


def unended_statements(now: datetime, limit: int, but_pools: Collection[str]) -> list[Select[Any]]:
    """One statement for each index: id, and since when it is to end."""
    statements = []
    for column, condition in _DUE:
        statement = select(tasks.c.id, column).where(condition, column <= now)
        if but_pools:
            statement = statement.where(tasks.c.pool_uid.not_in(sorted(but_pools)))
        statements.append(statement.order_by(column).limit(limit))
    return statements
