"""``spec.scaling``: how many pods."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from genpool_core.api.base import ApiModel, rule, rules

_BOUNDS = "minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas"
_PINNED = "mode Pinned needs replicas: set scaling.replicas"
Replicas = Annotated[int, Field(ge=0, le=1000)]


class TasksPerReplicaTarget(ApiModel):
    """So many tasks, waiting and running, for each pod."""

    value: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Tasks per pod."""


class TargetSpec(ApiModel):
    """The goal of the scaler."""

    type: Literal["TasksPerReplica"] = "TasksPerReplica"
    """Kind of the goal."""
    tasks_per_replica: TasksPerReplicaTarget = TasksPerReplicaTarget()
    """Goal of type TasksPerReplica."""


class ScalingSpec(ApiModel):
    """Bounds and goal of the scaler."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("self.minReplicas <= self.maxReplicas", _BOUNDS),
            rule("self.mode != 'Pinned' || has(self.replicas)", _PINNED),
        )
    )

    mode: Literal["Auto", "Pinned", "Hold"] = "Auto"
    """Auto follows the queue, Pinned keeps ``replicas``, Hold leaves the number as it is."""
    replicas: Replicas | None = None
    """Number of pods in mode Pinned; ``kubectl scale`` writes it."""
    min_replicas: Replicas = 0
    """Pods that stay even when nothing waits."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Most pods."""
    target: TargetSpec = TargetSpec()
    """What the scaler aims at in mode Auto."""
    idle_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    """How long fewer pods must have been enough before one goes. The scaler chooses when absent; status shows it."""

    @model_validator(mode="after")
    def _as_the_rules_say(self) -> ScalingSpec:
        if self.min_replicas > self.max_replicas:
            raise ValueError(_BOUNDS)
        if self.mode == "Pinned" and self.replicas is None:
            raise ValueError(_PINNED)
        return self
