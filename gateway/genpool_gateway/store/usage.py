"""Figures of ended tasks, summed by the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Integer, Select, case, cast, func, null, select

from genpool_gateway.store.database import Database
from genpool_gateway.store.tables import ENDED, tasks
from genpool_gateway.tasks.ports import UsageRow

_GROUP = (tasks.c.owner, tasks.c.pool_uid, tasks.c.workflow, tasks.c.ended_day)


class SqlUsageStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usage(
        self,
        *,
        since: datetime,
        until: datetime,
        owner: str | None,
        pools: Collection[str] | None,
        sla_seconds: Mapping[str, float],
    ) -> list[UsageRow]:
        """As the port says; by day, then pool."""
        statement = _sums(sla_seconds).where(ENDED, tasks.c.ended_at >= since, tasks.c.ended_at < until)
        if owner is not None:
            statement = statement.where(tasks.c.owner == owner)
        if pools is not None:
            statement = statement.where(tasks.c.pool_uid.in_(sorted(pools)))
        with self._database.reading() as connection:
            return [UsageRow(**row) for row in connection.execute(statement).mappings()]


def _sums(sla_seconds: Mapping[str, float]) -> Select[Any]:
    return (
        select(
            tasks.c.owner,
            tasks.c.pool_uid,
            tasks.c.workflow,
            tasks.c.ended_day.label("day"),
            func.count().label("tasks"),
            _count(tasks.c.outcome == "succeeded").label("succeeded"),
            func.coalesce(func.sum(tasks.c.gpu_seconds), 0.0).label("gpu_seconds"),
            func.count(tasks.c.wait_seconds).label("wait_known"),
            _within(sla_seconds).label("within_sla"),
        )
        .group_by(*_GROUP)
        .order_by(tasks.c.ended_day, tasks.c.pool_uid, tasks.c.owner, tasks.c.workflow)
    )


def _within(sla_seconds: Mapping[str, float]) -> Any:  # noqa: ANN401 - an expression of SQL
    """How many began in time; null for a pool without a limit, and 0 where no wait is known."""
    if not sla_seconds:
        return cast(null(), Integer)
    limit = case(sla_seconds, value=tasks.c.pool_uid, else_=cast(null(), Float))
    return case((func.max(limit).is_(None), None), else_=_count(tasks.c.wait_seconds <= limit))


def _count(condition: Any) -> Any:  # noqa: ANN401 - expressions of SQL
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
