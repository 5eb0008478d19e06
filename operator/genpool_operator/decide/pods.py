"""The health of a pool's pods: ready, starting, or failing and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from genpool_core import timing
from genpool_operator.decide.plural import plural

#: Reasons for which a container waits that do not mend themselves by waiting.
FAULTY_WAITS = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)

Health = Literal["none", "ready", "starting", "failing"]


@dataclass(frozen=True)
class ContainerView:
    """One container's state. ``waiting`` and ``ended`` are Kubernetes' reasons."""

    name: str
    restarts: int = 0
    waiting: str | None = None
    waiting_message: str = ""
    ended: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class PodView:
    """What the operator uses of a pod."""

    name: str
    namespace: str
    instance: str
    """Value of the instance label, which tells the pool."""
    resource_version: str = ""
    ready: bool = False
    terminating: bool = False
    finished: bool = False
    """Succeeded or Failed (evicted): it will never run again."""
    unschedulable_since: datetime | None = None
    unschedulable_message: str = ""
    deletion_cost: int | None = None
    containers: tuple[ContainerView, ...] = ()


@dataclass(frozen=True)
class PodHealth:
    """Health of the pods together. ``blocking``: a task published now would not be done."""

    health: Health
    reason: str
    message: str
    blocking: bool = False


def assess_pods(pods: Sequence[PodView], wanted: int, refused: str | None, now: datetime) -> PodHealth:
    """Assess the pods of a Deployment that wants ``wanted``; ``refused``: why Kubernetes creates none."""
    staying = [pod for pod in pods if not pod.terminating and not pod.finished]
    ready = sum(pod.ready for pod in staying)
    if wanted == 0 and not staying:
        return PodHealth("none", "NoneWanted", "No pod is wanted now.")
    if refused is not None and len(staying) < wanted:
        return PodHealth("failing", "PodsRefused", f"Kubernetes creates no pod: {refused}", ready == 0)
    faults = [fault for pod in staying if (fault := _fault(pod, now)) is not None]
    if faults:
        worst = max(faults, key=lambda fault: fault.blocking)
        more = f" ({ready} of {wanted} pods are ready.)" if ready else ""
        return PodHealth("failing", worst.reason, worst.message + more, worst.blocking and ready == 0)
    if ready >= wanted:
        return PodHealth("ready", "AllReady", plural(ready, "pod is ready.", "pods are ready."))
    return PodHealth("starting", "Starting", f"{ready} of {wanted} pods are ready; the others are starting.")


def _fault(pod: PodView, now: datetime) -> PodHealth | None:
    if pod.unschedulable_since is not None:
        lasting = now - pod.unschedulable_since > timedelta(seconds=timing.UNSCHEDULABLE_SECONDS)
        return PodHealth(
            "failing",
            "Unschedulable",
            f"Pod {pod.name} finds no node: {pod.unschedulable_message}",
            lasting,
        )
    for container in pod.containers:
        if container.waiting in FAULTY_WAITS:
            return PodHealth("failing", container.waiting, _explain(pod, container), blocking=True)
    return None


def _explain(pod: PodView, container: ContainerView) -> str:
    """One sentence: which container of which pod, what Kubernetes says, where to look."""
    subject = f"Container {container.name} of pod {pod.name}"
    if container.waiting == "CrashLoopBackOff":
        end = f"{container.ended or 'ended'}, exit code {container.exit_code}"
        return (
            f"{subject} keeps crashing ({end}, {container.restarts} restarts): "
            f"kubectl -n {pod.namespace} logs {pod.name} -c {container.name} --previous"
        )
    said = f": {container.waiting_message}" if container.waiting_message else ""
    return f"{subject} cannot start ({container.waiting}){said}"
