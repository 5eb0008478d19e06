"""Reading of tasks and their events."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, literal, or_, select, tuple_, type_coerce

from genpool_gateway.store import rows
from genpool_gateway.store.columns import storable
from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import read_records, select_records
from genpool_gateway.store.tables import (
    ENDED,
    UNFINISHED,
    UNSUCCESSFUL,
    WAITING,
    task_contents,
    task_events,
    tasks,
)
from genpool_gateway.tasks.ports import SEARCHED, EndedLately, TaskQuery
from genpool_gateway.tasks.record import StoredEvent, TaskRecord

#: Places in a queue are told up to here: each costs the reading of so many rows.
MOST_BEFORE = 10_000
#: Of the task ``of``, those behind the number ``behind``.
_EVENTS = (
    select(task_events)
    .where(task_events.c.task == bindparam("of"), task_events.c.number > bindparam("behind"))
    .order_by(task_events.c.number)
)
_PLACE = tuple_(tasks.c.created_at, tasks.c.id)


class SqlTaskReader:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, task: str) -> TaskRecord | None:
        """As the port says."""
        with self._database.reading() as connection:
            return read_records(connection, [task]).get(task)

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
        wanted = {"of": task, "behind": after}
        with self._database.reading() as connection:
            return [rows.event_of(row) for row in connection.execute(_EVENTS, wanted).mappings()]

    def count_unfinished(self, pool_uid: str) -> int:
        """As the port says."""
        statement = select(func.count()).select_from(tasks).where(WAITING, tasks.c.pool_uid == pool_uid)
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def count_owned(self, owner: str) -> int:
        """As the port says."""
        statement = select(func.count()).select_from(tasks).where(UNFINISHED, tasks.c.owner == owner)
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def queue_position(self, task: str) -> int | None:
        """As the port says."""
        own = select(tasks.c.pool_uid, tasks.c.created_at).where(
            tasks.c.id == task, WAITING, tasks.c.run == 1
        )
        with self._database.reading() as connection:
            found = connection.execute(own).first()
            if found is None:
                return None
            before = int(connection.execute(before_statement(*found, task)).scalar_one())
        return before if before <= MOST_BEFORE else None

    def ended_lately(self, pool_uid: str, *, limit: int) -> list[EndedLately]:
        """As the port says."""
        with self._database.reading() as connection:
            found = connection.execute(lately_statement(pool_uid, limit)).all()
        return [
            EndedLately(
                row.owner is not None,
                None if row.started_at is None else max(0.0, (row.ended_at - row.started_at).total_seconds()),
            )
            for row in found
        ]


def before_statement(pool_uid: str, created_at: datetime, task: str) -> Select[Any]:
    """How many of a pool's tasks wait before one, or more than are told. An index finds them."""
    earlier = (WAITING, tasks.c.pool_uid == pool_uid, _before(created_at, task))
    some = select(literal(1)).select_from(tasks).where(*earlier).limit(MOST_BEFORE + 1).subquery()
    return select(func.count()).select_from(some)


def lately_statement(pool_uid: str, limit: int) -> Select[Any]:
    """The tasks of a pool that ended last; an index gives their order."""
    columns = (tasks.c.owner, tasks.c.started_at, tasks.c.ended_at)
    statement = select(*columns).where(ENDED, tasks.c.pool_uid == pool_uid)
    return statement.order_by(tasks.c.ended_at.desc()).limit(limit)


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
    if query.search is not None:
        wanted += _found(query.search)
    if query.before is not None:
        wanted.append(_before(*query.before))
    return wanted


def _found(search: str) -> list[ColumnElement[bool]]:
    """Is among the newest tasks, and has a text in it. What is kept as JSON has all but ASCII escaped."""
    edge = select(tasks.c.created_at).order_by(tasks.c.created_at.desc(), tasks.c.id.desc())
    oldest = edge.offset(SEARCHED).limit(1).scalar_subquery()
    escaped = json.dumps(search)[1:-1]
    inside = [
        type_coerce(column, Text).icontains(escaped, autoescape=True)
        for column in (task_contents.c.parameters, task_contents.c.metadata)
    ]
    ids = [
        tasks.c.id == storable(search.lower()),
        type_coerce(tasks.c.task_id, Text).icontains(storable(search), autoescape=True),
    ]
    return [or_(oldest.is_(None), tasks.c.created_at > oldest), or_(*ids, *inside)]
