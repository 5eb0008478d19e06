"""Which pod is replaced because restarting its ComfyUI does not help. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_operator.decide.pods import PodView
from genpool_operator.decide.workers import WorkerView, current_state


@dataclass(frozen=True)
class Replacement:
    """Delete a pod, so that its Deployment makes another one, and say why."""

    pod: str
    why: str


def decide_replacement(
    pods: Sequence[PodView], states: Mapping[str, WorkerView], replaced_at: datetime | None, now: datetime
) -> Replacement | None:
    """The pod to replace now. ``replaced_at``: when the pool's last one was replaced.

    One at a time, and never one whose worker is silent or holds a task: that one may still be at work.
    """
    if replaced_at is not None and now - replaced_at < timedelta(seconds=timing.REPLACE_EVERY_SECONDS):
        return None
    staying = (pod for pod in pods if not pod.terminating and not pod.finished)
    known = ((pod, current_state(states, pod.name, now)) for pod in staying)
    wedged = [(pod, state) for pod, state in known if state is not None and not state.works]
    for pod, state in sorted(wedged, key=lambda item: item[1].wedged_seconds or 0, reverse=True):
        if (why := _why(state)) is not None:
            return Replacement(pod.name, f"Pod {pod.name} is replaced: {why}")
    return None


def last_replaced(remembered: datetime | None, told: datetime | None, now: datetime) -> datetime | None:
    """When the pool's last pod was replaced: as this operator remembers, else as the pool's status tells.

    A time of the status that is still to come was written by a wrong clock, and must hold up nothing.
    """
    if remembered is not None:
        return remembered
    return told if told is not None and told <= now else None


def _why(state: WorkerView) -> str | None:
    if state.wedged_seconds is not None and state.wedged_seconds >= timing.WEDGED_REPLACE_SECONDS:
        return (
            f"its ComfyUI has been wedged for {state.wedged_seconds:.0f} s (it answers, and no prompt gets on), "
            "and was not restarted."
        )
    if state.wedged_times >= timing.WEDGED_TIMES:
        return (
            f"its ComfyUI was wedged {state.wedged_times} times in a row (it answers, and no prompt gets on), and "
            "restarting it does not help."
        )
    return None
