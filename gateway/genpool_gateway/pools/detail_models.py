"""The shapes of one pool in the API's answers: its pods, and its figures over time."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from genpool_core.jsontypes import JsonObject
from genpool_gateway.pools.view_models import PoolView, View


class PodTaskView(View):
    """A task that a pod works on."""

    id: str
    """Its id."""
    workflow: str | None
    """Name; null: a graph of its own, or not known yet."""
    started_at: datetime | None
    """When its attempt began."""
    progress: JsonObject | None
    """The newest progress, as in the task; null where none was heard."""


class PodView(View):
    """A pod that this gateway has heard of in the last ten minutes."""

    name: str
    """Name of the pod."""
    state: Literal["starting", "idle", "busy", "draining", "unready", "silent"]
    """What it does. ``unready``: it takes no task, ``message`` says why. ``silent``: it was not heard for 30 s, so that
    nobody knows what it does."""
    since: datetime
    """When that began, by the pod's clock; when it was last heard, where it is silent."""
    heard_at: datetime
    """When it was last heard."""
    reason: str | None
    """What it waits for: a constant in CamelCase."""
    message: str | None
    """The same as a sentence."""
    works: bool
    """Whether it works on a task, as far as it is known."""
    task: PodTaskView | None
    """The task; null where the caller may not see it."""


class PoolDetail(PoolView):
    """A pool, with its pods."""

    pods: list[PodView]
    """Its pods by name, by their heartbeats: which pods there are and should be, ``replicas`` says."""


class PoolHistory(View):
    """A pool over time, in even steps. All lists are as long as ``times``; what is not known is null, never zero.

    Figures of the pool are means of its samples, one a minute; those older than a day are one in a quarter of an hour.
    Figures of tasks are counted; they are null in the last step, which is not over.
    """

    pool: str
    """``namespace/name``."""
    step_seconds: int
    """Length of a step."""
    times: list[datetime]
    """When each step begins."""
    samples: list[int]
    """Number of samples on which the figures of the pool rest."""
    waiting: list[float | None]
    """Tasks in the queue that no worker holds."""
    running: list[float | None]
    """Tasks that a worker holds."""
    pods: list[float | None]
    """Pods that exist."""
    pods_ready: list[float | None]
    """Pods that can take tasks."""
    pods_busy: list[float | None]
    """Pods that work on a task."""
    pods_wanted: list[float | None]
    """Pods that the scaler wants."""
    arrivals: list[int | None]
    """Tasks that came, replays not counted."""
    arrivals_plain: list[int | None]
    """Those among them that are plain producers': they are counted when a worker took them, not when they were sent."""
    waits_known: list[int | None]
    """Tasks that ended and whose wait is known: ``wait_mean`` and ``wait_longest`` rest on these."""
    wait_mean: list[float | None]
    """Mean of their waits for the first attempt, in seconds."""
    wait_longest: list[float | None]
    """The longest one."""
