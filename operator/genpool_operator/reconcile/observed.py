"""Everything that ``plan_pool`` looks at, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from genpool_core.brokers import BrokerConfig
from genpool_core.conditions import Finding
from genpool_core.errors import BrokerError, InvalidManifest
from genpool_core.intakes import IntakeFault
from genpool_core.operatorkeys import Installation
from genpool_core.queue_ownership import QueueOwner
from genpool_core.topology.plan import VhostFacts
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_operator.decide.intake import Intake
from genpool_operator.decide.manifests import PodDefaults
from genpool_operator.decide.objects import ConfigMapView, DeploymentView
from genpool_operator.decide.pods import PodView
from genpool_operator.decide.proof import Proof
from genpool_operator.decide.publication import Publication
from genpool_operator.decide.scaling import ScalingMemory
from genpool_operator.decide.workflow_health import WorkflowProof
from genpool_operator.ports import QueueAnswers


@dataclass(frozen=True)
class Memory:
    """What the operator remembers of a pool between two passes. Losing it costs a few writes that change nothing."""

    scaling: ScalingMemory = field(default_factory=ScalingMemory)
    accepted: Finding | None = None
    topology: Finding | None = None
    applied_fingerprint: str | None = None
    """Of the Deployment after our last apply; another one means that somebody changed it."""
    seen_generation: int | None = None
    """Of the spec that the last full pass looked at."""
    in_force: int | None = None
    """Newest generation that was applied as a whole, or refused for good."""
    proof: Proof | None = None
    """What pods have shown; None: not recalled from the status yet."""
    workflows: WorkflowProof | None = None
    """What pods said last of what their ComfyUI lacks."""
    intake: Intake | None = None
    """What the last full pass found about the pool's intake."""
    silent_since: datetime | None = None
    """Since when no worker of the ready pods is heard of, although the broker answers us."""
    scale_refused: Finding | None = None
    """What Kubernetes said when the last number of replicas could not be written."""
    secrets: Mapping[str, Publication] = field(default_factory=dict)
    """The pool's keys in shared Secrets, as they were last applied, by the Secret's name."""
    scaled_at: datetime | None = None
    replaced_at: datetime | None = None
    status_written_at: datetime | None = None


@dataclass(frozen=True)
class ObjectState:
    """Files, objects and the broker's topology: slow to read, so only in a full pass."""

    workflows: Mapping[str, WorkflowFiles | MissingFiles]
    config_map: ConfigMapView | None
    topology: VhostFacts | BrokerError


@dataclass(frozen=True)
class Observed:
    """What one pass observed. ``objects`` is None in a quick pass: nothing about them is planned then."""

    broker: BrokerConfig | InvalidManifest
    settings: PodDefaults | None
    queue_owner: QueueOwner | None
    objects: ObjectState | None
    deployment: DeploymentView | None
    pods: tuple[PodView, ...]
    answers: QueueAnswers | None
    installation: Installation | None = None
    """The operator's keys; None while their Secret could not be read."""
    intake_fault: IntakeFault | None = None
    """What is wrong with the pool's intake; looked for in a full pass."""
    gateway: bool = False
    """Whether there is a gateway."""
    memory: Memory = field(default_factory=Memory)
