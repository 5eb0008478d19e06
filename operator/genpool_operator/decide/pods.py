"""Pods as the operator uses them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
class FailureView:
    """What Kubernetes says of a pod that it ended or did not admit: Evicted, UnexpectedAdmissionError, NodeLost."""

    at: datetime
    reason: str
    message: str = ""


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
    failure: FailureView | None = None
    """Where Kubernetes ended it, or did not admit it to its node."""
    ready_since: datetime | None = None
    unschedulable_since: datetime | None = None
    unschedulable_message: str = ""
    unready_since: datetime | None = None
    """Since when it has a node and is not ready."""
    deletion_cost: int | None = None
    image_digest: str | None = None
    """What ComfyUI's image was, as the node says; None until it was pulled."""
    told_image_digest: str | None = None
    """The same as the pod's annotation tells it."""
    containers: tuple[ContainerView, ...] = ()
