"""What goes: by age in small batches, so that nothing waits long for one, or because its owner asked for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.engine import Connection

from genpool_core import timing
from genpool_gateway.store import rows
from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import chunks, lock_records, select_records, update_rows
from genpool_gateway.store.replays import mark
from genpool_gateway.store.tables import ENDED, idempotency, task_contents, task_events, tasks
from genpool_gateway.tasks.change import erase, erased_data
from genpool_gateway.tasks.record import TaskRecord, TaskState

_SCOPE = (idempotency.c.owner, idempotency.c.pool_uid, idempotency.c.key)


class SqlRetentionStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delete_ended(
        self, *, before: datetime, limit: int, with_contents: Mapping[str, datetime] | None = None
    ) -> int:
        """As the port says. Rows that another gateway deletes at this moment are left to it."""
        kept = with_contents or {}
        may_go = or_(
            tasks.c.erased_at.is_not(None),
            tasks.c.pool_uid.not_in(sorted(kept)),
            *(and_(tasks.c.pool_uid == uid, tasks.c.ended_at < time) for uid, time in kept.items()),
        )
        old = (
            select(tasks.c.id)
            .where(ENDED, tasks.c.ended_at < before, may_go)
            .order_by(tasks.c.ended_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._database.writing() as connection:
            ids = connection.execute(old).scalars().all()
            for part in chunks(ids):
                # What belongs to a task goes with its row.
                connection.execute(delete(tasks).where(tasks.c.id.in_(part)))
        return len(ids)

    def delete_expired_idempotency(self, *, now: datetime, limit: int) -> int:
        """As the port says."""
        expired = (
            select(*_SCOPE)
            .where(idempotency.c.expires_at <= now)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._database.writing() as connection:
            scopes = [tuple(row) for row in connection.execute(expired)]
            for part in chunks(scopes):
                connection.execute(delete(idempotency).where(tuple_(*_SCOPE).in_(part)))
        return len(scopes)

    def over_age(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        """As the port says."""
        due = (ENDED, tasks.c.pool_uid == pool_uid, tasks.c.ended_at < before, tasks.c.erased_at.is_(None))
        statement = select_records(bodies=False).where(*due).order_by(tasks.c.ended_at).limit(limit)
        with self._database.reading() as connection:
            return [rows.record_of(row) for row in connection.execute(statement).mappings()]

    def begin_erasing(self, ids: Collection[str], at: datetime) -> set[str]:
        """As the port says."""
        lapsed = tasks.c.replaying_at <= at - timedelta(seconds=timing.REPLAY_SECONDS)
        may_go = (ENDED, or_(tasks.c.replaying_at.is_(None), lapsed))
        others = or_(tasks.c.erasing_at.is_(None), tasks.c.erasing_at != at)
        return mark(self._database, ids, {"erasing_at": at}, where=may_go, refused=others)

    def erase(self, task: str, at: datetime) -> TaskRecord | None:
        """As the port says."""
        with self._database.writing() as connection:
            record, last_event = lock_records(connection, [task], bodies=True).get(task, (None, 0))
            if record is None or record.state is not TaskState.ENDED:
                return record
            erased = erase(record, at)
            update_rows(connection, tasks, [rows.task_row(erased, last_event)])
            update_rows(connection, task_contents, [rows.contents_row(erased)])
            erase_contents(connection, task)
            self._database.tell(connection, [task])
        return erased


def erase_contents(connection: Connection, task: str) -> None:
    """Delete what a record does not show of a task's contents: the body of its message, what its events quote."""
    connection.execute(update(task_contents).where(task_contents.c.task == task).values(body=b""))
    mine = task_events.c.task == task
    for number, data in connection.execute(
        select(task_events.c.number, task_events.c.data).where(mine)
    ).all():
        statement = update(task_events).where(mine, task_events.c.number == number)
        connection.execute(statement.values(data=erased_data(data)))
