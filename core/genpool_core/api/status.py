"""``status`` of a GenerationPool: what the operator saw and decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from genpool_core.api.base import ApiModel


class Condition(ApiModel):
    """As ``metav1.Condition``."""

    type: Annotated[str, Field(max_length=316)]
    """Name of the condition."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """Constant in CamelCase that says why."""
    message: Annotated[str, Field(max_length=32_768)]
    """Sentence for a person: what happened and what to do."""
    last_transition_time: datetime
    """When ``status`` last changed."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that this is about; where the status is True, one that was applied."""


class QueueStatus(ApiModel):
    """The queue as last read. A figure that could not be read is absent, never zero."""

    waiting: Annotated[int, Field(ge=0)] | None = None
    """Tasks in the queue that no worker holds."""
    running: Annotated[int, Field(ge=0)] | None = None
    """Tasks that a worker holds."""
    dead_lettered: Annotated[int, Field(ge=0)] | None = None
    """Messages in the dead-letter queue."""
    observed_at: datetime | None = None
    """When the broker was read."""
    intake: Annotated[str, Field(max_length=200)] | None = None
    """The intake that is in force; absent where the spec names none, or it is refused: condition ``IntakeReady``."""


class ScalingStatus(ApiModel):
    """The last decision of the scaler."""

    desired: Annotated[int, Field(ge=0)] | None = None
    """Pods that it wants."""
    reason: Annotated[str, Field(max_length=64)] | None = None
    """Constant in CamelCase."""
    message: Annotated[str, Field(max_length=1024)] | None = None
    """Sentence that explains it."""
    last_scale_time: datetime | None = None
    """When it last wrote another number."""
    idle_seconds: Annotated[int, Field(ge=0)] | None = None
    """The setting in force."""


class GenerationPoolStatus(ApiModel):
    """Observed state."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Newest generation of the spec that was applied as a whole, or refused for good: ``Accepted`` says which."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        ),
    ] = []
    """Ready, Accepted, BrokerReachable, TopologyReady, WorkersReady, WorkflowsReady, ScalingActive, StorageIsolated,
    LinkLifetimeKept, IntakeReady.

    The last three have no part in Ready.
    """
    replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that exist."""
    ready_replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that can take tasks."""
    busy_replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that work on a task."""
    last_replacement_time: datetime | None = None
    """When a pod whose ComfyUI was wedged was last replaced; the next one waits for some minutes after it."""
    selector: Annotated[str, Field(max_length=1024)] | None = None
    """Selector of the pods, for the scale subresource."""
    queue: QueueStatus = QueueStatus()
    """The queue as last read."""
    scaling: ScalingStatus = ScalingStatus()
    """The scaler's last decision."""
