"""Figures over many tasks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.problems import PROBLEMS, Problem
from genpool_gateway.api.services import services_of

router = APIRouter(tags=["usage"], responses=PROBLEMS)
_DAYS = 30
_MOST_DAYS = 400
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)


def _day(text: object) -> object:
    """Days alone: pydantic takes a number for seconds since 1970."""
    return date.fromisoformat(text) if isinstance(text, str) and len(text) == len("2000-01-01") else None


Day = Annotated[date, BeforeValidator(_day), Field(ge=_FIRST, le=_LAST)]


class UsageView(BaseModel):
    """Tasks that ended on one day, of one owner, pool and workflow."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    day: date
    """The day they ended, UTC."""
    owner: str | None
    """Id of the API key; null: plain producers."""
    pool: str
    """``namespace/name``, or the UID of a pool that is gone."""
    workflow: str | None
    """Name; null: graphs of their own."""
    tasks: int
    """How many ended."""
    succeeded: int
    """How many of them succeeded."""
    gpu_seconds: float
    """Time in ComfyUI times the number of GPUs, where it is known."""
    wait_known: int
    """Of how many the wait is known: the share within ``slaSeconds`` rests on these."""
    within_sla: int | None
    """How many of those began within the pool's ``slaSeconds``; null where it has none."""


class Usage(BaseModel):
    """Usage of some days."""

    since: date
    """First day."""
    until: date
    """Last day."""
    rows: list[UsageView]
    """By day, owner, pool, workflow."""


@router.get("/usage", summary="Get usage")
async def get_usage(
    request: Request,
    caller: AnyCaller,
    since: Annotated[Day | None, Query(description="First day, UTC; 30 days ago when left out.")] = None,
    until: Annotated[Day | None, Query(description="Last day, UTC; today when left out.")] = None,
) -> Usage:
    """Tasks, GPU seconds and the share within the SLA: a user's own, an operator's of its pools."""
    services = services_of(request)
    last = until or services.now().date()
    first = since or last - timedelta(days=_DAYS)
    if not 0 <= (last - first).days <= _MOST_DAYS:
        raise Problem(
            "InvalidRequest", f"since is after until, or they are more than {_MOST_DAYS} days apart."
        )
    pools = {pool.ref.uid: pool for pool in services.pools.snapshot().visible_to(caller.pools).pools}
    uids = None if caller.pools is None else list(pools)
    sla = {
        uid: pool.spec.sla_seconds
        for uid, pool in pools.items()
        if pool.spec is not None and pool.spec.sla_seconds is not None
    }
    rows = await to_thread.run_sync(
        lambda: services.usage.usage(
            since=datetime.combine(first, time(), UTC),
            until=datetime.combine(last, time(), UTC) + timedelta(days=1),
            owner=None if caller.sees_all else caller.id,
            pools=uids,
            sla_seconds=sla,
        )
    )

    def named(uid: str) -> str:
        pool = pools.get(uid)
        return uid if pool is None else pool.name

    return Usage(
        since=first,
        until=last,
        rows=[
            UsageView(
                day=date.fromisoformat(row.day),
                owner=row.owner,
                pool=named(row.pool_uid),
                workflow=row.workflow,
                tasks=row.tasks,
                succeeded=row.succeeded,
                gpu_seconds=round(row.gpu_seconds, 3),
                wait_known=row.wait_known,
                within_sla=row.within_sla,
            )
            for row in rows
        ],
    )
