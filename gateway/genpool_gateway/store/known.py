"""What is known already of a task that is about to be accepted."""

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

    def state(self, task: NewTask, now: datetime) -> TaskState | None:
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
        # Its id and its key may mean two tasks: one that is published is the answer for both.
        with self._database.reading() as connection:
            found = connection.execute(select(tasks.c.state).where(or_(*same)).limit(2)).scalars()
            states = sorted(map(TaskState, found), key=lambda state: state is TaskState.ACCEPTING)
        return next(iter(states), None)
