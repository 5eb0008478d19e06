"""Whether a task that is about to be accepted is known already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from genpool_gateway.store.admission import scope_of
from genpool_gateway.store.database import Database
from genpool_gateway.store.tables import idempotency, tasks
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import TaskState


class SqlKnownTasks:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def knows(self, task: NewTask, now: datetime) -> bool:
        """As the port says."""
        same = [tasks.c.id == task.record.id]
        scope = scope_of(task)
        if scope is not None:
            owner, pool_uid, key = scope
            promised = select(idempotency.c.task).where(
                idempotency.c.owner == owner,
                idempotency.c.pool_uid == pool_uid,
                idempotency.c.key == key,
                idempotency.c.expires_at > now,
            )
            same.append(tasks.c.id.in_(promised))
        # One that is not published yet may still be refused by the broker, and then it is gone.
        statement = select(tasks.c.id).where(or_(*same), tasks.c.state != TaskState.ACCEPTING.value).limit(1)
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None
