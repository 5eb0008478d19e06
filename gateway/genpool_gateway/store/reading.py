"""Reading of tasks and their events."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_

from genpool_gateway.store import rows
from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import read_records, select_records
from genpool_gateway.store.tables import UNSUCCESSFUL, WAITING, task_events, tasks
from genpool_gateway.tasks.ports import TaskQuery
from genpool_gateway.tasks.record import StoredEvent, TaskRecord

_PLACE = tuple_(tasks.c.created_at, tasks.c.id)


class SqlTaskReader:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, task: str) -> TaskRecord | None:
        """As the port says."""
        with self._database.reading() as connection:
            found = (
                connection.execute(select_records(bodies=True).where(tasks.c.id == task)).mappings().first()
            )
        return None if found is None else rows.record_of(found)

    def get_all(self, tasks: Collection[str]) -> list[TaskRecord]:
        """As the port says."""
        with self._database.reading() as connection:
            return list(read_records(connection, tasks, bodies=False).values())

    def find(self, query: TaskQuery) -> list[TaskRecord]:
        """As the port says."""
        with self._database.reading() as connection:
            return [rows.record_of(row) for row in connection.execute(find_statement(query)).mappings()]

    def events(self, task: str, *, after: int = 0) -> list[StoredEvent]:
        """As the port says."""
        statement = (
            select(task_events)
            .where(task_events.c.task == task, task_events.c.number > after)
            .order_by(task_events.c.number)
        )
        with self._database.reading() as connection:
            return [rows.event_of(row) for row in connection.execute(statement).mappings()]

    def count_unfinished(self, pool_uid: str) -> int:
        """As the port says."""
        statement = select(func.count()).select_from(tasks).where(WAITING, tasks.c.pool_uid == pool_uid)
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def queue_position(self, task: str) -> int | None:
        """As the port says."""
        own = select(tasks.c.pool_uid, tasks.c.created_at).where(tasks.c.id == task, WAITING)
        with self._database.reading() as connection:
            found = connection.execute(own).first()
            if found is None:
                return None
            earlier = (
                WAITING,
                tasks.c.owner.is_not(None),
                tasks.c.pool_uid == found.pool_uid,
                _before(found.created_at, task),
            )
            statement = select(func.count()).select_from(tasks).where(*earlier)
            return int(connection.execute(statement).scalar_one())


def _before(created_at: datetime, task: str) -> ColumnElement[bool]:
    """Is older than a task, or as old and of a smaller id."""
    return tuple_(literal(created_at, tasks.c.created_at.type), literal(task, tasks.c.id.type)) > _PLACE


def find_statement(query: TaskQuery) -> Select[Any]:
    """The statement of a page: an index gives its order, so that it costs the same on the first page and the last."""
    statement = select_records(bodies=False).where(*_conditions(query))
    return statement.order_by(tasks.c.created_at.desc(), tasks.c.id.desc()).limit(query.limit)


def _conditions(query: TaskQuery) -> list[ColumnElement[bool]]:
    wanted: list[Any] = []
    if query.pools is not None:
        wanted.append(tasks.c.pool_uid.in_(sorted(query.pools)))
    for column, value in (
        (tasks.c.owner, query.owner),
        (tasks.c.workflow, query.workflow),
        (tasks.c.reason, query.reason),
        (tasks.c.task_id, query.task_id),
    ):
        if value is not None:
            wanted.append(column == value)
    if query.states or query.outcomes:
        states = tasks.c.state.in_([state.value for state in query.states])
        wanted.append(or_(states, tasks.c.outcome.in_(sorted(query.outcomes))))
    if query.discarded is not None:
        gone = tasks.c.discarded_at.is_not(None)
        wanted.append(gone if query.discarded else ~gone)
    if query.cancel_requested is not None:
        asked = tasks.c.cancel_requested_at.is_not(None)
        wanted.append(or_(tasks.c.outcome.is_not(None), asked if query.cancel_requested else ~asked))
    if query.outcomes and not query.states and "succeeded" not in query.outcomes:
        wanted.append(UNSUCCESSFUL)
    if query.before is not None:
        wanted.append(_before(*query.before))
    return wanted
