"""``spec`` of a GenerationPool: what a team says."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from genpool_core.api.base import ApiModel, rule, rules
from genpool_core.api.pods import ComfyUISpec, TemplateSpec, WorkerSpec
from genpool_core.api.scaling import ScalingSpec
from genpool_core.api.security import SecuritySpec
from genpool_core.api.storage import StorageSpec
from genpool_core.api.workflows import WorkflowSpec
from genpool_core.names import QUEUE_NAME_BYTES

_RESERVED = "names that begin with amq. or genpool. are reserved: give the queue another name"
_INTAKE_IS_OWN = (
    "the intake would be the pool's own queue, or one's dead-letter queue: name another queue in intake"
)
_TOO_LONG = f"the name has more than {QUEUE_NAME_BYTES} bytes in UTF-8: give the queue a shorter one"
_NO_WORKFLOW = (
    "workflows is empty: list at least one, for example "
    "{name: text-to-image, source: {builtin: text-to-image}}"
)
_GRAPHS_SHARE_IDENTITY = (
    "allowGraphs without storage.s3.credentials gives every graph the pod identity's rights on the bucket: name a "
    "Secret in storage.s3.credentials, or set security.allowGraphsWithPodIdentity to true"
)
_TWO_FALLBACKS = "only one workflow can be the fallback: set fallback on one entry of workflows"


def _is_queue_name(name: str) -> str:
    if name.startswith(("amq.", "genpool.")):
        raise ValueError(_RESERVED)
    if len(name.encode()) > QUEUE_NAME_BYTES:
        raise ValueError(_TOO_LONG)
    return name


class BrokerSpec(ApiModel):
    """Which broker and vhost. Brokers are declared by the platform in the operator's own configuration."""

    name: Annotated[str, Field(min_length=1, max_length=63)] = "default"
    """Name of a broker in the operator's configuration."""
    vhost: Annotated[str, Field(min_length=1, max_length=200)] = "/"
    """RabbitMQ vhost; it must be one that the operator's configuration allows."""


class RetrySpec(ApiModel):
    """How often a task is tried."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    """Attempts in all. A crash of the pod in the middle of a task counts as one, a drain does not."""


class DeadLetterSpec(ApiModel):
    """What becomes of dead letters."""

    retention_seconds: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    """Dead letters older than this are dropped by the broker. Kept for ever when absent."""


class QueueSpec(ApiModel):
    """The work queue, from which producers' tasks are consumed. It is declared as plain producers declare it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("!self.name.startsWith('amq.') && !self.name.startsWith('genpool.')", _RESERVED),
            rule(f"size(bytes(self.name)) <= {QUEUE_NAME_BYTES}", _TOO_LONG),
            rule(
                "!has(self.intake) || (!self.intake.startsWith('amq.') && !self.intake.startsWith('genpool.'))",
                _RESERVED,
            ),
            rule(f"!has(self.intake) || size(bytes(self.intake)) <= {QUEUE_NAME_BYTES}", _TOO_LONG),
            rule(
                "!has(self.intake) || (self.intake != self.name && self.intake != self.name + '.dead'"
                " && self.name != self.intake + '.dead')",
                _INTAKE_IS_OWN,
            ),
        )
    )

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f]+$",
            json_schema_extra=rules(
                rule("self == oldSelf", "the queue's name cannot change: make another pool")
            ),
        ),
        AfterValidator(_is_queue_name),
    ]
    """Name of the queue, as producers publish to it."""
    message_ttl_seconds: Annotated[int | None, Field(alias="messageTTLSeconds", ge=1, le=31_536_000)] = None
    """A task that waited longer goes to the dead letters (reason expired). For ever when absent."""
    max_waiting: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    """While so many tasks wait, the gateway accepts no more: its API answers 429, and messages wait in the intake.

    It does not hold for producers that publish to the work queue themselves: they would never know. Absent: no limit.
    """
    intake: Annotated[
        str | None,
        Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$"),
        AfterValidator(lambda name: None if name is None else _is_queue_name(name)),
    ] = None
    """A queue from which the gateway brings tasks to the pool that serves their ``workflow_type``.

    Pools of the same broker and vhost may share one, as long as no two of them serve the same name. It has a
    dead-letter queue of its own, with the suffix ``.dead``. Another name, or none, leaves what is in the old one there:
    nothing consumes it until a pool names it again. In force is what ``status.queue.intake`` says.
    """
    retry: RetrySpec = RetrySpec()
    """Retries of failed attempts."""
    dead_letter: DeadLetterSpec = DeadLetterSpec()
    """The dead-letter queue, named after the work queue with the suffix ``.dead``."""

    @model_validator(mode="after")
    def _as_the_rule_says(self) -> QueueSpec:
        if self.intake is not None and (
            self.intake in {self.name, f"{self.name}.dead"} or self.name == f"{self.intake}.dead"
        ):
            raise ValueError(_INTAKE_IS_OWN)
        return self


class GenerationPoolSpec(ApiModel):
    """Everything that a team needs to serve ComfyUI workflows from a queue."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("size(self.workflows) > 0", _NO_WORKFLOW),
            rule("self.workflows.filter(w, has(w.fallback) && w.fallback).size() <= 1", _TWO_FALLBACKS),
            rule(
                "!has(self.security) || !has(self.security.allowGraphs) || !self.security.allowGraphs"
                " || !has(self.storage.s3) || has(self.storage.s3.credentials)"
                " || (has(self.security.allowGraphsWithPodIdentity) && self.security.allowGraphsWithPodIdentity)",
                _GRAPHS_SHARE_IDENTITY,
            ),
        )
    )

    broker: Annotated[
        BrokerSpec,
        Field(
            json_schema_extra=rules(
                rule("self == oldSelf", "broker and vhost cannot change: make another pool")
            )
        ),
    ] = BrokerSpec()
    """The RabbitMQ broker and vhost of the queue."""
    queue: QueueSpec
    """The work queue."""
    workflows: Annotated[
        list[WorkflowSpec],
        Field(
            max_length=64,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
    ] = []
    """Workflows that tasks of this pool may name."""
    comfyui: ComfyUISpec
    """The ComfyUI container."""
    worker: WorkerSpec = WorkerSpec()
    """The worker container beside it."""
    storage: StorageSpec
    """Where results and records of tasks are stored."""
    security: SecuritySpec = SecuritySpec()
    """What workers may fetch and where callbacks may go."""
    scaling: ScalingSpec = ScalingSpec()
    """How many pods."""
    sla_seconds: Annotated[int | None, Field(ge=1, le=31_536_000)] = None
    """A task should have ended so long after it was queued. The gateway's usage tells the share that had.

    It counts tasks whose time in the queue is known: those that the gateway accepted, or that have a timestamp.
    """
    template: TemplateSpec = TemplateSpec()
    """Fields of the pods, from a named list."""

    @model_validator(mode="after")
    def _as_the_rules_say(self) -> GenerationPoolSpec:
        if not self.workflows:
            raise ValueError(_NO_WORKFLOW)
        if sum(workflow.fallback for workflow in self.workflows) > 1:
            raise ValueError(_TWO_FALLBACKS)
        s3 = self.storage.s3
        if self.security.allow_graphs and not (
            s3 is None or s3.credentials or self.security.allow_graphs_with_pod_identity
        ):
            raise ValueError(_GRAPHS_SHARE_IDENTITY)
        # Across a list of lists, which a rule of the schema could not afford to look through.
        uses = Counter(name for workflow in self.workflows for name in {workflow.name, *workflow.aliases})
        twice = sorted(name for name, count in uses.items() if count > 1)
        if twice:
            raise ValueError(f"two workflows have the name or alias {twice[0]!r}: rename one of them")
        return self
