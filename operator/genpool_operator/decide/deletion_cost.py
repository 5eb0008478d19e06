"""Pod deletion costs, so that a scale-in takes an idle pod first. Written just before it, only where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from genpool_operator.decide.pods import PodView
from genpool_operator.decide.workers import WorkerView, current_state

IDLE = 0
UNKNOWN = 5
BUSY = 10
#: The longer a task runs, the more its pod's end would waste; a day is enough to tell them apart.
MOST_SECONDS = 86_400


def deletion_costs(
    pods: Iterable[PodView], states: Mapping[str, WorkerView], now: datetime
) -> dict[str, int]:
    """Costs to write, by pod name, without pods that terminate anyway and pods that have their cost already."""
    wanted = {pod.name: (pod, _cost(pod, states, now)) for pod in pods if not pod.terminating}
    return {name: cost for name, (pod, cost) in wanted.items() if pod.deletion_cost != cost}


def _cost(pod: PodView, states: Mapping[str, WorkerView], now: datetime) -> int:
    state = current_state(states, pod.name, now)
    if state is None:
        # A pod that never was ready holds no task.
        return UNKNOWN if pod.ready else IDLE
    if state.works:
        return BUSY + min(max(int((now - state.since).total_seconds()), 0), MOST_SECONDS)
    return IDLE
