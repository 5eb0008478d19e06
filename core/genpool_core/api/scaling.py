"""``spec.scaling``: how many pods."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from genpool_core.api.base import ApiModel, rule, rules

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
            rule(
                "self.minReplicas <= self.maxReplicas",
                "minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas",
            ),
            rule(
                "self.mode != 'Pinned' || has(self.replicas)",
                "mode Pinned needs replicas: set scaling.replicas",
            ),
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
