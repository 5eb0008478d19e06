"""One pool as the API shows it: its pods, and its figures over time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from genpool_gateway.pools.detail_models import PodTaskView, PodView, PoolDetail, PoolHistory
from genpool_gateway.pools.history import HistoryStep, Window
from genpool_gateway.pools.samples import Figures, Flow
from genpool_gateway.pools.view_models import PoolView
from genpool_gateway.pools.workers import Worker


def pool_detail(pool: PoolView, pods: Sequence[PodView]) -> PoolDetail:
    """A pool with its pods."""
    return PoolDetail(**{name: getattr(pool, name) for name in PoolView.model_fields}, pods=[*pods])


def pod_views(workers: Sequence[Worker], tasks: Mapping[str, PodTaskView], now: datetime) -> list[PodView]:
    """Pods. ``tasks``: those that the caller may see, by id."""
    return [_pod(worker, tasks, now) for worker in workers]


def _pod(worker: Worker, tasks: Mapping[str, PodTaskView], now: datetime) -> PodView:
    silent = worker.is_silent(now)
    works = not silent and worker.task is not None
    return PodView(
        name=worker.pod,
        state="silent" if silent else worker.state,
        since=worker.heard_at if silent else worker.since,
        heard_at=worker.heard_at,
        reason=None if silent else worker.reason,
        message=None if silent else worker.message,
        works=works,
        task=tasks.get(worker.task) if works and worker.task is not None else None,
    )


def pool_history(name: str, window: Window, steps: Sequence[HistoryStep]) -> PoolHistory:
    """A pool over time."""
    figures = {field.name: [step.figures[field.name] for step in steps] for field in fields(Figures)}
    flows = {
        field.name: [None if step.flow is None else getattr(step.flow, field.name) for step in steps]
        for field in fields(Flow)
    }
    return PoolHistory(
        pool=name,
        step_seconds=int(window.step.total_seconds()),
        times=[step.time for step in steps],
        samples=[step.samples for step in steps],
        **figures,
        **flows,
    )
