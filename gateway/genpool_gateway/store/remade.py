"""Tasks of a pool that is gone, handed over to the one that was made under its name."""

from __future__ import annotations

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from genpool_core.messages.base import PoolRef
from genpool_gateway.store.database import Database
from genpool_gateway.store.overtaken import until_not_overtaken
from genpool_gateway.store.queries import chunks, lock_tasks
from genpool_gateway.store.tables import BEGUN, WAITING, idempotency, task_contents, tasks


class SqlRemadeStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hand_over(self, gone: str, pool: PoolRef, *, ended: bool, limit: int) -> int:
        """As the port says."""
        found = self._find(gone, ended=ended, limit=limit)
        if found:
            until_not_overtaken(lambda: self._hand_over(found, gone, pool))
        return len(found)

    def _find(self, gone: str, *, ended: bool, limit: int) -> list[str]:
        statement = select(tasks.c.id).where(tasks.c.pool_uid == gone)
        if not ended:
            accepted = statement.join(task_contents).where(task_contents.c.body.is_not(None))
            statement = accepted.where(or_(WAITING, BEGUN))
        with self._database.reading() as connection:
            return list(connection.execute(statement.limit(limit)).scalars())

    def _hand_over(self, ids: list[str], gone: str, pool: PoolRef) -> None:
        with self._database.writing() as connection:
            lock_tasks(connection, ids)
            for part in chunks(ids):
                mine = update(tasks).where(tasks.c.id.in_(part), tasks.c.pool_uid == gone)
                # The key was made for the first of them, however many there were since.
                former = func.coalesce(tasks.c.former_pool, tasks.c.pool_uid)
                connection.execute(mine.values(former_pool=former, pool_uid=pool.uid))
            _hand_over_keys(connection, gone, pool.uid)
            self._database.tell(connection, ids)


def _hand_over_keys(connection: Connection, gone: str, uid: str) -> None:
    """Where the same key was used for the new pool, that counts."""
    other = idempotency.alias()
    used = exists().where(
        other.c.owner == idempotency.c.owner, other.c.key == idempotency.c.key, other.c.pool_uid == uid
    )
    connection.execute(delete(idempotency).where(idempotency.c.pool_uid == gone, used))
    connection.execute(update(idempotency).where(idempotency.c.pool_uid == gone).values(pool_uid=uid))
