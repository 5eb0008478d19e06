"""Pools and workflows, as far as the caller may use them."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel

from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.problems import PROBLEMS
from genpool_gateway.api.services import services_of
from genpool_gateway.pools.view_models import PoolView, WorkflowView
from genpool_gateway.pools.views import pool_views, workflow_views

router = APIRouter(tags=["pools"], responses=PROBLEMS)


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
    return PoolList(pools=await to_thread.run_sync(pool_views, pools, services.links.note))


@router.get("/workflows", summary="List workflows")
async def list_workflows(request: Request, caller: AnyCaller) -> WorkflowList:
    """Workflows with the JSON Schema of their parameters: bounds, defaults, help."""
    return WorkflowList(
        workflows=workflow_views(services_of(request).pools.snapshot().visible_to(caller.pools))
    )
