"""What the workers of a pool do, from their heartbeats and their pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_core.messages.events import UnavailableWorkflow, WorkerState
from genpool_operator.decide.pods import PodView


@dataclass(frozen=True)
class WorkerView:
    """The last heartbeat of a worker: its state, since when, and when we heard it."""

    state: WorkerState
    since: datetime
    heard_at: datetime
    task_key: str | None = None
    begun_at: datetime | None = None
    """When we first heard that it holds this task, by our clock."""
    reason: str | None = None
    """What it waits for, where it says so."""
    message: str = ""
    waits_since: datetime | None = None
    """When we first heard that it waits, by our clock."""
    unavailable: tuple[UnavailableWorkflow, ...] | None = None
    """Workflows that its ComfyUI cannot run; None where it has not said."""
    wedged_seconds: float | None = None
    """For how long its ComfyUI has been wedged, by its worker's clock; None where it is not."""
    wedged_times: int = 0
    """How often in a row it was wedged."""

    @property
    def waits(self) -> bool:
        """Whether it takes no task, and says why."""
        return self.state in {"starting", "unready"} and self.reason is not None

    @property
    def works(self) -> bool:
        """Whether it holds a task. A draining worker that still has one is finishing it."""
        return self.state == "busy" or (self.state == "draining" and self.task_key is not None)


@dataclass(frozen=True)
class WorkerCounts:
    """Pods that stay (not terminating) and work; ready pods that are silent; terminating pods that still work.

    ``begun``: when we heard of the tasks that pods which stay hold, where that is known.
    """

    busy: int = 0
    unknown: int = 0
    leaving: int = 0
    begun: tuple[datetime, ...] = ()


def current_state(states: Mapping[str, WorkerView], pod: str, now: datetime) -> WorkerView | None:
    """What is known of a pod's worker: None when it is silent."""
    state = states.get(pod)
    if state is None or now - state.heard_at > timedelta(seconds=timing.HEARTBEAT_EXPIRY_SECONDS):
        return None
    return state


def heard(before: WorkerView | None, state: WorkerView) -> WorkerView:
    """The state as it is kept: with the time at which we first heard that the worker holds its task."""
    if state.waits:
        known = before is not None and before.waits and before.reason == state.reason
        return replace(state, waits_since=before.waits_since if before and known else state.heard_at)
    if not state.works:
        return state
    if before is not None and before.works and before.task_key == state.task_key:
        return replace(state, begun_at=before.begun_at)
    return replace(state, begun_at=state.heard_at)


def count_workers(pods: Iterable[PodView], states: Mapping[str, WorkerView], now: datetime) -> WorkerCounts:
    """Count the pods of a pool by what their workers say."""
    busy = unknown = leaving = 0
    begun: list[datetime] = []
    for pod in pods:
        state = current_state(states, pod.name, now)
        working = state if state is not None and state.works else None
        if pod.terminating:
            leaving += working is not None
        elif working is not None:
            busy += 1
            if working.begun_at is not None:
                begun.append(working.begun_at)
        elif state is None and pod.ready:
            unknown += 1
    return WorkerCounts(busy, unknown, leaving, tuple(begun))
