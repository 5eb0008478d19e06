"""The health of a pool's pods: ready, starting, or failing and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from genpool_core import timing
from genpool_core.messages.events import COMFYUI_BUSY, COMFYUI_UNAVAILABLE, COMFYUI_WEDGED
from genpool_operator.decide.failed_pods import newest_failure
from genpool_operator.decide.plural import plural
from genpool_operator.decide.pods import ContainerView, PodView
from genpool_operator.decide.workers import WorkerView, current_state

#: Reasons for which a container waits while its pod starts as it should. Any other is a fault.
USUAL_WAITS = frozenset({"ContainerCreating", "PodInitializing"})
#: ComfyUI takes its time to start, and starts again after a crash: a worker may wait for it as long as a start takes.
PATIENT = frozenset({COMFYUI_UNAVAILABLE, COMFYUI_BUSY, COMFYUI_WEDGED})

Health = Literal["none", "ready", "starting", "failing", "silent"]
#: Ends the sentence about a pod's fault where other pods take tasks.
OTHERS_READY = " pods are ready.)"


@dataclass(frozen=True)
class PodHealth:
    """Health of the pods together.

    ``blocking``: a task published now would not be done. ``reported``: a pod showed it, so that it holds for the next
    pod as well until one shows the opposite.
    """

    health: Health
    reason: str
    message: str
    blocking: bool = False
    reported: bool = False


def assess_pods(
    pods: Sequence[PodView],
    wanted: int,
    refused: str | None,
    now: datetime,
    workers: Mapping[str, WorkerView] | None = None,
    start_seconds: float = timing.STARTUP_SECONDS + timing.START_MARGIN_SECONDS,
) -> PodHealth:
    """Assess the pods of a Deployment that wants ``wanted``; ``refused``: why Kubernetes creates none.

    ``workers``: their heartbeats, by pod. ``start_seconds``: how long a pod may take to be ready.
    """
    staying = [pod for pod in pods if not pod.terminating and not pod.finished]
    heard = {pod.name: current_state(workers or {}, pod.name, now) for pod in staying}
    ready = sum(pod.ready for pod in staying)
    serving = sum(pod.ready and not _waits(heard[pod.name]) for pod in staying)
    if wanted == 0 and not staying:
        return PodHealth("none", "NoneWanted", "No pod is wanted now.")
    if refused is not None and len(staying) < wanted:
        return PodHealth("failing", "PodsRefused", f"Kubernetes creates no pod: {refused}", serving == 0)
    found = (
        _fault(pod, heard[pod.name], (workers or {}).get(pod.name), now, start_seconds) for pod in staying
    )
    faults = [fault for fault in found if fault is not None]
    if ready < wanted and (failure := newest_failure(pods, wanted, now, start_seconds)) is not None:
        faults.append(PodHealth("failing", failure.reason, failure.message, failure.repeated, reported=True))
    if faults:
        worst = max(faults, key=lambda fault: fault.blocking)
        more = f" ({ready} of {wanted}{OTHERS_READY}" if serving else ""
        return replace(worst, message=worst.message + more, blocking=worst.blocking and serving == 0)
    if ready >= wanted:
        return PodHealth("ready", "AllReady", plural(ready, "pod is ready.", "pods are ready."))
    return PodHealth("starting", "Starting", f"{ready} of {wanted} pods are ready; the others are starting.")


def shows_health(pods: Sequence[PodView], workers: Mapping[str, WorkerView], now: datetime) -> bool:
    """Whether a pod shows that pods of this pool work: one that takes tasks, or is ready and says nothing else."""
    for pod in pods:
        state = current_state(workers, pod.name, now)
        takes = pod.ready if state is None else state.state == "idle" or state.works
        if takes and not pod.terminating and not pod.finished:
            return True
    return False


def ready_and_silent(pods: Sequence[PodView], workers: Mapping[str, WorkerView], now: datetime) -> bool:
    """Whether there are ready pods and not one of their workers is heard of."""
    ready = [pod for pod in pods if pod.ready and not pod.terminating and not pod.finished]
    return bool(ready) and all(current_state(workers, pod.name, now) is None for pod in ready)


def with_silence(health: PodHealth, silent_since: datetime | None, now: datetime) -> PodHealth:
    """The health, where no worker of a ready pod has been heard of since then. None: they are heard of.

    A worker that connects to RabbitMQ again and again, or hangs, cannot say so; its pod stays ready.
    """
    lasting = timedelta(seconds=timing.HEARTBEAT_EXPIRY_SECONDS)
    if silent_since is None or now - silent_since <= lasting or health.blocking:
        return health
    message = (
        f"Pods are ready, and none of their workers was heard of on the broker for {lasting.seconds} s: the log of "
        "their container worker says what they wait for."
    )
    return PodHealth("silent", "WorkersSilent", message)


def _waits(state: WorkerView | None) -> bool:
    return state is not None and state.waits


def _fault(
    pod: PodView, state: WorkerView | None, last: WorkerView | None, now: datetime, start_seconds: float
) -> PodHealth | None:
    """What is wrong with a pod. ``state``: its worker's, where it is heard of; ``last``: however long ago."""
    if state is not None and state.waits and _lasts(state, now, start_seconds):
        message = f"The worker of pod {pod.name} takes no task: {state.message}"
        return PodHealth("failing", state.reason or "", message, blocking=True, reported=True)
    if pod.unschedulable_since is not None:
        lasting = now - pod.unschedulable_since > timedelta(seconds=timing.UNSCHEDULABLE_SECONDS)
        message = f"Pod {pod.name} finds no node: {pod.unschedulable_message}"
        return PodHealth("failing", "Unschedulable", message, lasting)
    for container in pod.containers:
        if container.waiting is not None and container.waiting not in USUAL_WAITS:
            message = _explain(pod, container, last)
            return PodHealth("failing", container.waiting, message, blocking=True, reported=True)
    if pod.ready or pod.unready_since is None:
        return None
    if now - pod.unready_since <= timedelta(seconds=start_seconds):
        return None
    message = (
        f"Pod {pod.name} has been starting for longer than {start_seconds:.0f} s: {_progress(pod, last)}"
    )
    return PodHealth("failing", "StartOverdue", message, blocking=True, reported=True)


def _lasts(state: WorkerView, now: datetime, start_seconds: float) -> bool:
    patience = start_seconds if state.reason in PATIENT else timing.WORKER_WAITS_SECONDS
    return now - (state.waits_since or state.heard_at) > timedelta(seconds=patience)


def _explain(pod: PodView, container: ContainerView, last: WorkerView | None) -> str:
    """One sentence: which container of which pod, what Kubernetes says, where to look."""
    subject = f"Container {container.name} of pod {pod.name}"
    if container.waiting == "CrashLoopBackOff":
        end = container.ended or "ended"
        if container.exit_code is not None:
            end += f", exit code {container.exit_code}"
        look = f"kubectl -n {pod.namespace} logs {pod.name} -c {container.name} --previous"
        told = container.name == "worker" and last is not None and last.waits
        said = f" It said: {last.message}" if told and last is not None else ""
        return f"{subject} keeps crashing ({end}, {container.restarts} restarts): {look}{said}"
    said = f": {container.waiting_message}" if container.waiting_message else ""
    return f"{subject} cannot start ({container.waiting}){said}"


def _progress(pod: PodView, last: WorkerView | None) -> str:
    """How far a pod came that does not get ready, and where to look."""
    if last is not None and last.waits:
        return f"its worker waits: {last.message}"
    held = [
        f"container {item.name} is in {item.waiting}" for item in pod.containers if item.waiting is not None
    ]
    if held:
        return f"{', '.join(held)}; kubectl -n {pod.namespace} describe pod {pod.name} says why."
    return f"its worker was not heard of; kubectl -n {pod.namespace} logs {pod.name} -c worker says what it waits for."
