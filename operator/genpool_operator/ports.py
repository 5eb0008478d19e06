"""What the operator needs from outside, as small protocols. ``adapters`` implements them, tests have fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.record import PoolRecord
from genpool_core.api.spec import GenerationPoolSpec
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.brokers import BrokerConfig
from genpool_core.jsontypes import JsonObject
from genpool_core.topology.plan import Step, VhostFacts
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_operator.decide.backlog import Backlog
from genpool_operator.decide.broker_health import BrokerHealth
from genpool_operator.decide.events import PoolEvent
from genpool_operator.decide.objects import ConfigMapView, DeploymentView
from genpool_operator.decide.pods import PodView
from genpool_operator.decide.reading import Counted, Listed
from genpool_operator.decide.workers import WorkerView

PoolKey = tuple[str, str]
"""Namespace and name of a GenerationPool."""
OnChange = Callable[[PoolKey, bool], None]
"""A pool has changed and needs a pass; True: a full one."""


@dataclass(frozen=True)
class QueueAnswers:
    """The newest answers about a pool's queues, and how the broker can be reached."""

    health: BrokerHealth
    listed: Listed | None = None
    dead: Listed | None = None
    counted: Counted | None = None
    workers: Mapping[str, WorkerView] = field(default_factory=dict)
    backlog: Backlog | None = None


class Cluster(Protocol):
    """Kubernetes. Every method raises ClusterError."""

    def get_config_map(self, namespace: str, name: str) -> ConfigMapView | None:
        """A ConfigMap, or None when there is none."""

    def get_deployment(self, namespace: str, name: str) -> JsonObject | None:
        """A Deployment, or None when there is none."""

    def apply(self, manifest: JsonObject, *, manager: str | None = None) -> JsonObject:
        """Apply server-side, as the operator unless another field manager is named; the object as it is then."""

    def remove_keys(self, namespace: str, secret: str, keys: Sequence[str]) -> None:
        """Take keys out of a Secret; nothing happens when there is no such Secret."""

    def scale(self, namespace: str, deployment: str, replicas: int) -> str:
        """Write a Deployment's replicas through ``/scale``; its resource version after that."""

    def set_deletion_cost(self, namespace: str, pod: str, cost: int) -> None:
        """Annotate a pod."""

    def set_image_digest(self, namespace: str, pod: str, digest: str) -> None:
        """Annotate a pod."""

    def delete_pod(self, namespace: str, pod: str) -> None:
        """Delete a pod, with its grace; nothing happens when it is gone."""

    def write_status(self, meta: ObjectMeta, status: GenerationPoolStatus) -> JsonObject:
        """Write a pool's status; the pool as it is then."""

    def post_event(self, meta: ObjectMeta, event: PoolEvent, now: datetime) -> None:
        """Post an Event about a pool."""


class KeySecret(Protocol):
    """The Secret with the operator's keys. Every method raises ClusterError."""

    name: str

    def namespace_uid(self) -> str:
        """UID of its namespace."""

    def read(self) -> str | None:
        """Its lines; None when there is no such Secret."""

    def create(self, line: str) -> str:
        """Make it with this line, where it is missing; the lines as they are then."""


class ClusterCache(Protocol):
    """What the watches have seen."""

    def deployment(self, meta: ObjectMeta) -> DeploymentView | None:
        """The Deployment of a pool."""

    def pods(self, meta: ObjectMeta) -> Sequence[PodView]:
        """The pods of a pool."""

    def pools(self) -> Sequence[GenerationPool]:
        """All pools that can be read."""

    def observe(self, body: JsonObject) -> None:
        """Take in a pool or Deployment from an answer of Kubernetes."""

    def scaled(self, meta: ObjectMeta, replicas: int, resource_version: str) -> None:
        """Take in that a pool's Deployment has another number of replicas now."""


class Brokers(Protocol):
    """RabbitMQ. Methods that ask or write raise BrokerError."""

    def follow(self, broker: BrokerConfig, pool: GenerationPool) -> None:
        """Monitor the queues of this pool from now on; may be called again and again."""

    def forget(self, uid: str) -> None:
        """Stop monitoring a pool's queues."""

    def answers(self, broker: BrokerConfig, pool: GenerationPool) -> QueueAnswers:
        """The newest answers; asks the broker nothing."""

    def facts(self, broker: BrokerConfig, vhost: str, *, settled: bool) -> VhostFacts:
        """A vhost's topology: at most a minute old where it was ``settled``, else seconds; new after ``provision``."""

    def provision(self, broker: BrokerConfig, vhost: str, steps: Sequence[Step]) -> None:
        """Apply the steps, in order."""

    def delete_user(self, broker: BrokerConfig, name: str) -> None:
        """Delete a user; nothing happens when it is gone."""


class Metrics(Protocol):
    """What is counted and measured."""

    def took(self, seconds: float, *, full: bool) -> None:
        """A reconcile took so long."""

    def failed(self, reason: str) -> None:
        """A reconcile failed; ``reason`` is a constant."""

    def show(
        self, namespace: str, pool: str, spec: GenerationPoolSpec | None, status: GenerationPoolStatus
    ) -> None:
        """What is known of a pool; no spec: it cannot be read."""


class Workflows(Protocol):
    """Where workflow templates come from. Raises ClusterError."""

    def load(self, pool: GenerationPool) -> Mapping[str, WorkflowFiles | MissingFiles]:
        """The files of each workflow of a pool, by the workflow's name."""


class PoolRecords(Protocol):
    """The GenerationPools that are known."""

    def records(self) -> Sequence[PoolRecord]:
        """All of them, also those that cannot be read."""

    def record(self, key: PoolKey) -> PoolRecord | None:
        """One of them."""


class DeletedPools(Protocol):
    """The pools that were deleted."""

    def take_deleted(self) -> list[GenerationPool]:
        """Those since the last call."""


class WatchSink(Protocol):
    """Takes in what the watches have seen."""

    def put_pool(self, body: JsonObject) -> bool:
        """A pool was seen; True when its spec is new."""

    def drop_pool(self, body: JsonObject) -> None:
        """A pool was deleted."""

    def put_deployment(self, body: JsonObject) -> bool:
        """A Deployment of ours was seen; True when more than its replicas and status is new."""

    def drop_deployment(self, body: JsonObject) -> None:
        """A Deployment of ours was deleted."""

    def put_pod(self, body: JsonObject) -> None:
        """A pod of ours was seen."""

    def drop_pod(self, body: JsonObject) -> None:
        """A pod of ours was deleted."""


class Telemetry(Protocol):
    """Takes in figures for Prometheus."""

    def took(self, seconds: float, *, full: bool) -> None:
        """A reconcile took so long."""

    def failed(self, reason: str) -> None:
        """A reconcile failed; ``reason`` is a constant."""

    def show(
        self, namespace: str, pool: str, spec: GenerationPoolSpec | None, status: GenerationPoolStatus
    ) -> None:
        """The newest figures of a pool."""
