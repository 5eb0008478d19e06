"""Pools and workflows, as far as the caller may use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.numbers import Plain
from genpool_gateway.api.problems import PROBLEMS, Problem
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.keys.access import Caller
from genpool_gateway.pools.detail_models import PodTaskView, PoolDetail, PoolHistory
from genpool_gateway.pools.detail_views import pod_views, pool_detail, pool_history
from genpool_gateway.pools.history import MOST_HOURS
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.view_models import PoolView, WorkflowView
from genpool_gateway.pools.views import pool_view, pool_views, workflow_views
from genpool_gateway.pools.workers import Worker

router = APIRouter(tags=["pools"], responses=PROBLEMS)
Namespace = Annotated[str, Path(max_length=63, description="Namespace of a pool.")]
Name = Annotated[str, Path(max_length=253, description="Name of a pool.")]
Hours = Annotated[int, Query(ge=1, le=MOST_HOURS, description="How far back."), Plain]


class PoolList(BaseModel):
    """Pools, by name."""

    pools: list[PoolView]


class WorkflowList(BaseModel):
    """Workflows, by name."""

    workflows: list[WorkflowView]


@router.get("/pools", summary="List pools")
async def list_pools(request: Request, caller: AnyCaller) -> PoolList:
    """Pools with their figures, conditions, and the scaler's last decision as a sentence."""
    services = services_of(request)
    pools = services.pools.snapshot().visible_to(caller.pools)
    # The first look at a bucket makes its client, which takes a moment.
    return PoolList(
        pools=await to_thread.run_sync(pool_views, pools, services.links.note, services.store_checks.view)
    )


@router.get("/pools/{namespace}/{name}", summary="Get a pool")
async def get_pool(request: Request, namespace: Namespace, name: Name, caller: AnyCaller) -> PoolDetail:
    """One pool, with what each of its pods does. A task is shown to those who may see it."""
    services = services_of(request)
    pool = _visible_pool(services, caller, namespace, name)
    view = await to_thread.run_sync(
        lambda: pool_view(pool, services.links.note(pool), services.store_checks.view(pool))
    )
    workers = services.workers.of(pool.ref.uid)
    tasks = await _tasks_of(services, caller, workers)
    return pool_detail(view, pod_views(workers, tasks, services.now()))


@router.get("/pools/{namespace}/{name}/history", summary="Get a pool over time")
async def get_pool_history(
    request: Request, namespace: Namespace, name: Name, caller: AnyCaller, hours: Hours = 3
) -> PoolHistory:
    """Depth, pods, arrivals and waits of a pool in even steps, up to a week back. What is not known is null."""
    services = services_of(request)
    pool = _visible_pool(services, caller, namespace, name)
    window, steps = await to_thread.run_sync(services.pools_over_time.read, pool.ref.uid, hours)
    return pool_history(pool.name, window, steps)


@router.get("/workflows", summary="List workflows")
async def list_workflows(request: Request, caller: AnyCaller) -> WorkflowList:
    """Workflows with the JSON Schema of their parameters: bounds, defaults, help."""
    return WorkflowList(
        workflows=workflow_views(services_of(request).pools.snapshot().visible_to(caller.pools))
    )


def _visible_pool(services: Services, caller: Caller, namespace: str, name: str) -> ServedPool:
    found = services.pools.snapshot().visible_to(caller.pools).by_name(namespace, name)
    if found is None:
        raise Problem("NotFound", f"there is no pool {f'{namespace}/{name}'[:128]!r}, or it is not yours.")
    return found


async def _tasks_of(services: Services, caller: Caller, workers: Sequence[Worker]) -> dict[str, PodTaskView]:
    """What the pods work on, as far as the caller may see it."""
    wanted = {worker.task for worker in workers if worker.task is not None}
    records = await to_thread.run_sync(services.reader.get_all, wanted) if wanted else []
    return {
        record.id: PodTaskView(
            id=record.id,
            workflow=record.workflow,
            started_at=record.started_at,
            progress=services.hub.progress(record.id, record.pool.uid),
        )
        for record in records
        if caller.may_see(record.pool, record.owner)
    }
