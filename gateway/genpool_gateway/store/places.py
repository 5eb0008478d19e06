"""The buckets that pools have or had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import RowMapping

from genpool_core.messages.base import PoolRef
from genpool_core.workerconfig import store_at
from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import put_rows, store_columns
from genpool_gateway.store.tables import pool_places
from genpool_gateway.tasks.places import PoolPlace


class SqlPlaceStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, places: Sequence[PoolPlace]) -> None:
        """As the port says."""
        # In one order, so that gateways that meet wait for each other and never in a circle.
        rows = sorted((_row(place) for place in places), key=lambda row: tuple(row[name] for name in _KEY))
        if rows:
            with self._database.writing() as connection:
                put_rows(connection, pool_places, rows, keep={"first_seen"})

    def of_pool(self, pool_uid: str) -> list[PoolPlace]:
        """As the port says."""
        return self._read(select(pool_places).where(pool_places.c.pool_uid == pool_uid))

    def of_all(self) -> list[PoolPlace]:
        """As the port says."""
        newest = select(pool_places.c.pool_uid, func.max(pool_places.c.last_seen).label("seen"))
        last = newest.group_by(pool_places.c.pool_uid).subquery()
        joined = select(pool_places).join(
            last, (pool_places.c.pool_uid == last.c.pool_uid) & (pool_places.c.last_seen == last.c.seen)
        )
        found: dict[str, PoolPlace] = {}
        for place in self._read(joined):
            found.setdefault(place.pool.uid, place)
        return list(found.values())

    def _read(self, statement: Select[Any]) -> list[PoolPlace]:
        ordered = statement.order_by(pool_places.c.last_seen.desc())
        with self._database.reading() as connection:
            return [_place(row) for row in connection.execute(ordered).mappings()]


_KEY = tuple(column.name for column in pool_places.primary_key)


def _row(place: PoolPlace) -> dict[str, Any]:
    return {
        "pool_uid": place.pool.uid,
        **store_columns(place.store),
        "prefix": place.store.prefix,
        "pool_namespace": place.pool.namespace,
        "pool_name": place.pool.name,
        "retention_seconds": place.retention_seconds,
        "first_seen": place.first_seen,
        "last_seen": place.last_seen,
    }


def _place(row: RowMapping) -> PoolPlace:
    return PoolPlace(
        pool=PoolRef(namespace=row["pool_namespace"], name=row["pool_name"], uid=row["pool_uid"]),
        store=store_at((row["endpoint"] or None, row["bucket"]), prefix=row["prefix"], region=row["region"]),
        retention_seconds=row["retention_seconds"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
    )
