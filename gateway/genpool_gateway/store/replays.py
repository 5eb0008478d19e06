"""Next runs that are about to begin: none does while its task's contents are being deleted, and the other way round."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, or_, select, update

from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import chunks, lock_tasks
from genpool_gateway.store.tables import ENDED, tasks

_MAY_RUN = (ENDED, tasks.c.erasing_at.is_(None), tasks.c.erased_at.is_(None))
_MAY_NOT = or_(tasks.c.erasing_at.is_not(None), tasks.c.erased_at.is_not(None))


class SqlReplayStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, ids: Collection[str], at: datetime) -> set[str]:
        """As the port says."""
        return mark(self._database, ids, {"replaying_at": at}, where=_MAY_RUN, refused=_MAY_NOT)

    def over(self, ids: Collection[str]) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            lock_tasks(connection, ids)
            for part in chunks(sorted(ids)):
                connection.execute(update(tasks).where(tasks.c.id.in_(part)).values(replaying_at=None))


def mark(
    database: Database,
    ids: Collection[str],
    values: Mapping[str, datetime],
    *,
    where: Sequence[ColumnElement[bool] | TextClause],
    refused: ColumnElement[bool],
) -> set[str]:
    """Note in the rows of tasks that something begins, ``where`` it may; those for which ``refused`` then holds."""
    found: set[str] = set()
    with database.writing() as connection:
        lock_tasks(connection, ids)
        for part in chunks(sorted(ids)):
            mine = tasks.c.id.in_(part)
            connection.execute(update(tasks).where(mine, *where).values(values))
            found.update(connection.execute(select(tasks.c.id).where(mine, refused)).scalars())
    return found
