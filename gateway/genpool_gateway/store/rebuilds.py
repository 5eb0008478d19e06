"""Which pools lost events, until their ledgers were read."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import delete, select, update

from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import chunks, insert_new
from genpool_gateway.store.tables import rebuilds


class SqlRebuildStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events_lost(self, pools: Collection[str], at: datetime) -> None:
        """As the port says."""
        uids = sorted(pools)
        if not uids:
            return
        with self._database.writing() as connection:
            insert_new(connection, rebuilds, [{"pool_uid": uid, "lost_at": at} for uid in uids])
            for part in chunks(uids):
                older = (rebuilds.c.pool_uid.in_(part), rebuilds.c.lost_at < at)
                connection.execute(update(rebuilds).where(*older).values(lost_at=at))

    def to_rebuild(self) -> dict[str, datetime]:
        """As the port says."""
        with self._database.reading() as connection:
            return {row.pool_uid: row.lost_at for row in connection.execute(select(rebuilds))}

    def rebuilt(self, pool: str, lost_at: datetime) -> None:
        """As the port says."""
        read = (rebuilds.c.pool_uid == pool, rebuilds.c.lost_at <= lost_at)
        with self._database.writing() as connection:
            connection.execute(delete(rebuilds).where(*read))

    def alone(self) -> AbstractContextManager[bool]:
        """As the port says."""
        return self._database.alone()
