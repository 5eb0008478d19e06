"""Executes a plan through the ports. An act that fails is reported, and the other acts are still done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.brokers import BrokerConfig
from genpool_core.conditions import ACCEPTED, SCALING_ACTIVE, TOPOLOGY_READY, Finding
from genpool_core.errors import BrokerError, ClusterError, GenPoolError, InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.names import FIELD_MANAGER_INITIAL, pool_manager
from genpool_operator.decide.events import POD_REPLACED, PoolEvent, scale_event
from genpool_operator.decide.objects import parse_deployment
from genpool_operator.decide.publication import published
from genpool_operator.decide.replacement import Replacement
from genpool_operator.decide.status import REFUSED
from genpool_operator.ports import Brokers, Cluster, ClusterCache
from genpool_operator.reconcile.observed import Memory
from genpool_operator.reconcile.plan import Apply, Plan, Scale
from genpool_operator.reconcile.plan_objects import object_name

_log = structlog.get_logger(__name__)
Act = Callable[[Memory], Memory]
#: HTTP status of an object that does not exist any more.
GONE = 404


class _ScaleRefused(GenPoolError):  # noqa: N818 - as InvalidManifest
    """Kubernetes does not take the number of replicas: a quota, a policy, a missing right."""

    reason = REFUSED


class _SecretTaken(GenPoolError):  # noqa: N818 - as InvalidManifest
    """Somebody else wrote the pool's keys of a shared Secret."""

    reason = "SecretTaken"


@dataclass(frozen=True)
class Outcome:
    """What to remember after the acts, and the first failure."""

    memory: Memory
    failure: GenPoolError | None = None


class Executor:
    """Carries out plans."""

    def __init__(
        self,
        cluster: Cluster,
        brokers: Brokers,
        view: ClusterCache,
        on_provisioned: Callable[[], None] = lambda: None,
    ) -> None:
        self._cluster = cluster
        self._on_provisioned = on_provisioned
        self._brokers = brokers
        self._view = view

    def execute(
        self, pool: GenerationPool, plan: Plan, broker: BrokerConfig | None, now: datetime
    ) -> Outcome:
        """Execute all acts of a plan; its status is written by ``report``."""
        outcome = Outcome(plan.memory)
        acts: list[Act] = []
        if plan.steps and broker is not None:
            acts.append(lambda memory: self._provision(pool, broker, plan, memory))
        acts += [self._publishing(pool, manifest, now) for manifest in plan.secrets]
        acts += [self._applying(apply) for apply in plan.applies]
        if plan.scale is not None:
            acts.append(self._scaling(pool, plan.scale, now))
        if plan.replacement is not None:
            acts.append(self._replacing(pool, plan.replacement, now))
        for act in acts:
            try:
                outcome = replace(outcome, memory=act(outcome.memory))
            except GenPoolError as error:
                memory = _remember_failure(outcome.memory, error, pool.metadata.generation)
                outcome = Outcome(memory, outcome.failure or error)
        return outcome

    def annotate(self, pool: GenerationPool, plan: Plan) -> None:
        """Tell the workers what ComfyUI's image was. Best effort: end records then lack it."""
        namespace = pool.metadata.namespace
        for pod, digest in plan.image_digests.items():
            try:
                self._cluster.set_image_digest(namespace, pod, digest)
            except ClusterError as error:
                _log.info("image_digest_not_written", pod=f"{namespace}/{pod}", message=error.message)

    def report(self, pool: GenerationPool, plan: Plan, now: datetime) -> Memory:
        """Write the status and post the events.

        Raises
        ------
        ClusterError
            The status could not be written; no event was posted then.
        """
        if not plan.write_status:
            return plan.memory
        self.write(pool.metadata, plan.status, plan.events, now)
        return replace(plan.memory, status_written_at=now)

    def write(
        self, meta: ObjectMeta, status: GenerationPoolStatus, events: Sequence[PoolEvent], now: datetime
    ) -> None:
        """Write a status, then post its events. Nothing happens when the pool has gone meanwhile."""
        try:
            self._view.observe(self._cluster.write_status(meta, status))
        except ClusterError as error:
            if error.status == GONE:
                return
            raise
        for event in events:
            self._post(meta, event, now)

    def _post(self, meta: ObjectMeta, event: PoolEvent, now: datetime) -> None:
        """Best effort: a namespace that is being deleted takes no Events any more."""
        try:
            self._cluster.post_event(meta, event, now)
        except ClusterError as error:
            _log.info("event_not_posted", pool=f"{meta.namespace}/{meta.name}", message=error.message)

    def _provision(self, pool: GenerationPool, broker: BrokerConfig, plan: Plan, memory: Memory) -> Memory:
        self._brokers.provision(broker, pool.spec.broker.vhost, plan.steps)
        _log.info("topology_provisioned", pool=_key(pool), steps=len(plan.steps))
        self._on_provisioned()
        return memory

    def _publishing(self, pool: GenerationPool, manifest: JsonObject, now: datetime) -> Act:
        def act(memory: Memory) -> Memory:
            name = object_name(manifest)
            try:
                self._apply(manifest, pool_manager(pool.metadata.name))
            except ClusterError as error:
                raise _SecretTaken(_taken(name, error)) if error.taken else error from error
            return replace(memory, secrets={**memory.secrets, name: published(manifest, now)})

        return act

    def _applying(self, apply: Apply) -> Act:
        def act(memory: Memory) -> Memory:
            if apply.initial is not None:
                self._apply(apply.initial, FIELD_MANAGER_INITIAL)
            body = self._apply(apply.manifest)
            if apply.kind != "Deployment":
                return memory
            self._view.observe(body)
            return replace(memory, applied_fingerprint=parse_deployment(body).fingerprint)

        return act

    def _apply(self, manifest: JsonObject, manager: str | None = None) -> JsonObject:
        """Apply a manifest. What Kubernetes refuses is the manifest's fault, and the pool's status tells it."""
        try:
            return self._cluster.apply(manifest, manager=manager)
        except ClusterError as error:
            if not error.refusal:
                raise
            raise InvalidManifest(error.message, reason=REFUSED) from error

    def _scaling(self, pool: GenerationPool, scale: Scale, now: datetime) -> Act:
        def act(memory: Memory) -> Memory:
            namespace = pool.metadata.namespace
            self._write_costs(namespace, scale)
            try:
                version = self._cluster.scale(namespace, scale.deployment, scale.replicas)
            except ClusterError as error:
                raise _ScaleRefused(error.message) if error.refusal else error from error
            self._view.scaled(pool.metadata, scale.replicas, version)
            _log.info("scaled", pool=_key(pool), was=scale.was, replicas=scale.replicas, why=scale.why)
            event = scale_event(scale.was, scale.replicas, scale.why)
            self._post(pool.metadata, event, now)
            return replace(memory, scaled_at=now, scale_refused=None)

        return act

    def _replacing(self, pool: GenerationPool, replacement: Replacement, now: datetime) -> Act:
        def act(memory: Memory) -> Memory:
            namespace = pool.metadata.namespace
            self._cluster.delete_pod(namespace, replacement.pod)
            _log.warning("pod_replaced", pool=_key(pool), pod=replacement.pod, message=replacement.why)
            self._post(pool.metadata, PoolEvent("Warning", POD_REPLACED, replacement.why), now)
            return replace(memory, replaced_at=now)

        return act

    def _write_costs(self, namespace: str, scale: Scale) -> None:
        """Best effort: without the costs Kubernetes may choose a busy pod, which then finishes or hands back."""
        for pod, cost in scale.costs.items():
            try:
                self._cluster.set_deletion_cost(namespace, pod, cost)
            except ClusterError as error:
                _log.warning("deletion_cost_not_written", pod=f"{namespace}/{pod}", message=error.message)


def _remember_failure(memory: Memory, error: GenPoolError, generation: int) -> Memory:
    """Keep a failure, so that the next status tells it. What is refused for good counts as looked at."""
    if isinstance(error, (BrokerError, _SecretTaken)):
        return replace(memory, topology=Finding(TOPOLOGY_READY, "False", error.reason, error.message))
    if isinstance(error, _ScaleRefused):
        return replace(memory, scale_refused=Finding(SCALING_ACTIVE, "False", error.reason, error.message))
    if isinstance(error, InvalidManifest):
        refused = Finding(ACCEPTED, "False", error.reason, error.message)
        return replace(memory, accepted=refused, in_force=generation)
    if memory.in_force == generation:
        return memory
    message = (
        f"The newest spec (generation {generation}) is not applied yet and is tried again: {error.message}"
    )
    return replace(memory, accepted=Finding(ACCEPTED, "Unknown", "NotApplied", message))


def _taken(name: str, error: ClusterError) -> str:
    return (
        f"{error.message} Somebody else wrote these keys of Secret {name}, and they are left alone: take them out "
        "there (kubectl edit), and GenPool writes its own."
    )


def _key(pool: GenerationPool) -> str:
    return f"{pool.metadata.namespace}/{pool.metadata.name}"
