"""Figures of pools at moments, and sums of what their tasks did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnClause,
    ColumnElement,
    delete,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.schema import Column

from genpool_core import timing
from genpool_gateway.pools.samples import Figures, Flow, PoolSample
from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import chunks, insert_new
from genpool_gateway.store.tables import ENDED, pool_samples, tasks

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Groups are named by it: the expression has values in it, by which PostgreSQL does not know it again.
_STEP: ColumnClause[int] = literal_column("step")
_FIGURES = tuple(pool_samples.c[field.name] for field in fields(Figures))


class SqlSampleStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, samples: Sequence[PoolSample]) -> None:
        """As the port says."""
        # In one order, so that gateways that meet wait for each other and never in a circle.
        rows = [
            {"time": each.time, "pool_uid": each.pool_uid, **asdict(each.figures)}
            for each in sorted(samples, key=lambda each: (each.time, each.pool_uid))
        ]
        with self._database.writing() as connection:
            insert_new(connection, pool_samples, rows)

    def samples(self, pool_uid: str, times: Sequence[datetime]) -> Mapping[datetime, Figures]:
        """As the port says. Each is found by its key: rows of one time are beside each other, of one pool are not."""
        found: dict[datetime, Figures] = {}
        with self._database.reading() as connection:
            for part in chunks(times):
                statement = select(pool_samples.c.time, *_FIGURES).where(
                    pool_samples.c.pool_uid == pool_uid, pool_samples.c.time.in_(part)
                )
                found |= {row[0]: Figures(*row[1:]) for row in connection.execute(statement)}
        return found

    def thin(self, *, keep_from: datetime, fine_from: datetime, limit: int) -> int:
        """As the port says."""
        time = pool_samples.c.time
        between = _micros(time) % (timing.POOL_SAMPLE_COARSE_SECONDS * 1_000_000) != 0
        old = select(time).where(time < fine_from, or_(time < keep_from, between)).distinct()
        with self._database.writing() as connection:
            moments = connection.execute(old.order_by(time).limit(limit)).scalars().all()
            if moments:
                connection.execute(delete(pool_samples).where(time.in_(moments)))
        return len(moments)

    def flow(
        self, pool_uid: str, *, since: datetime, until: datetime, step: timedelta
    ) -> Mapping[datetime, Flow]:
        """As the port says."""
        came = _number(tasks.c.created_at, since, step)
        arrivals = select(came, func.count(), func.count(tasks.c.owner)).where(
            tasks.c.pool_uid == pool_uid, tasks.c.created_at >= since, tasks.c.created_at < until
        )
        went = _number(tasks.c.ended_at, since, step)
        waits = select(
            went,
            func.count(tasks.c.wait_seconds),
            func.avg(tasks.c.wait_seconds),
            func.max(tasks.c.wait_seconds),
        ).where(ENDED, tasks.c.pool_uid == pool_uid, tasks.c.ended_at >= since, tasks.c.ended_at < until)
        found: dict[datetime, Flow] = {}
        with self._database.reading() as connection:
            for number, count, owned in connection.execute(arrivals.group_by(_STEP)):
                found[since + step * number] = Flow(arrivals=count, arrivals_plain=count - owned)
            for number, known, mean, longest in connection.execute(waits.group_by(_STEP)):
                time = since + step * number
                found[time] = replace(
                    found.get(time, Flow()), waits_known=known, wait_mean=mean, wait_longest=longest
                )
        return found


def _micros(time: Column[datetime]) -> ColumnElement[int]:
    return type_coerce(time, BigInteger)


def _number(time: Column[datetime], since: datetime, step: timedelta) -> Any:  # noqa: ANN401 - an expression of SQL
    """The number of the step in which a time lies."""
    begin, length = (since - _EPOCH) // timedelta.resolution, step // timedelta.resolution
    return ((_micros(time) - begin) // length).label(_STEP.name)
