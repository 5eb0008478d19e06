"""Plans a pool's objects, its topology and its user. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.conditions import ACCEPTED, TOPOLOGY_READY, Finding
from genpool_core.errors import BrokerError, InvalidManifest
from genpool_core.intakes import wanted_intake
from genpool_core.jsontypes import JsonObject
from genpool_core.topology.of_pool import wanted_topology
from genpool_core.topology.plan import Step, plan_topology, plan_users
from genpool_operator.decide.manifests import (
    PodDefaults,
    build_callback_secret,
    build_config_map,
    build_deployment,
    build_initial_deployment,
    build_worker_login,
)
from genpool_operator.decide.manifests.config_map import data_hash
from genpool_operator.decide.objects import ConfigMapView, DeploymentView
from genpool_operator.decide.ownership import PREVIOUS_POOL, OwnerFacts, Ownership, marked, ownership
from genpool_operator.decide.publication import is_due
from genpool_operator.decide.topology import queue_taken, worker_users
from genpool_operator.decide.volumes import check_volumes
from genpool_operator.decide.workflows import check_workflows
from genpool_operator.reconcile.observed import ObjectState, Observed
from genpool_operator.reconcile.plan import Apply

ACCEPTED_FINDING = Finding(ACCEPTED, "True", "Accepted", "The pool's spec is accepted.")
_NO_KEY = "The operator has not read its key Secret yet, so the workers have no login: its log and readiness tell why."


@dataclass(frozen=True)
class ObjectPlan:
    """Findings, and the acts that follow from them."""

    accepted: Finding
    topology: Finding
    steps: tuple[Step, ...] = ()
    secrets: tuple[JsonObject, ...] = field(default=(), repr=False)
    applies: tuple[Apply, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether something is not yet as the spec says."""
        return bool(self.steps or self.secrets or self.applies)


def plan_objects(
    pool: GenerationPool, observed: Observed, objects: ObjectState, settings: PodDefaults, now: datetime
) -> ObjectPlan:
    """Plan objects and topology. Where the pool is not accepted, its objects stay as they are."""
    found = _topology(pool, observed, objects)
    if (taken := _taken(pool, observed, objects)) is not None:
        return replace(found, accepted=taken, steps=(), secrets=())
    found = replace(
        found,
        secrets=tuple(
            manifest
            for manifest in found.secrets
            if is_due(manifest, observed.memory.secrets.get(object_name(manifest)), now)
        ),
    )
    try:
        check_volumes(pool, settings.allowed_volumes)
        config_map = build_config_map(pool, check_workflows(pool.spec.workflows, objects.workflows))
    except InvalidManifest as error:
        return replace(found, accepted=Finding(ACCEPTED, "False", error.reason, error.message))
    applies: list[Apply] = []
    if _differs(config_map, objects.config_map, pool):
        applies.append(Apply(config_map))
    deployment = build_deployment(pool, settings, data_hash(config_map))
    if (apply := _apply_deployment(pool, settings, deployment, observed)) is not None:
        applies.append(apply)
    return replace(found, applies=tuple(applies))


def _topology(pool: GenerationPool, observed: Observed, objects: ObjectState) -> ObjectPlan:
    """Findings and steps, and all that the pool has in shared Secrets as far as it may be told now."""
    facts, installation = objects.topology, observed.installation
    if installation is None:
        return ObjectPlan(ACCEPTED_FINDING, Finding(TOPOLOGY_READY, "Unknown", "NoOperatorKey", _NO_KEY))
    callbacks = build_callback_secret(pool, installation)
    if isinstance(facts, BrokerError):
        unknown = Finding(TOPOLOGY_READY, "Unknown", facts.reason, facts.message)
        return ObjectPlan(ACCEPTED_FINDING, unknown, secrets=(callbacks,))
    users = worker_users(pool, installation)
    intake = wanted_intake(pool, observed.intake_fault)
    wanted = wanted_topology(pool, facts.version, gateway=observed.gateway, intake=intake)
    plan = plan_topology(wanted, users, facts)
    # Pods get a login once its user is there with its rights: until then they keep the one before.
    ready = facts.exists and not plan_users(users, facts)
    secrets = (build_worker_login(pool, installation), callbacks) if ready else (callbacks,)
    if plan.faults:
        finding = Finding(TOPOLOGY_READY, "False", "TopologyConflict", " ".join(plan.faults))
    elif plan.steps:
        message = "Exchanges, queues, policies and the workers' user are being created."
        finding = Finding(TOPOLOGY_READY, "False", "Provisioning", message)
    else:
        message = f"Queue {pool.spec.queue.name} and all that belongs to it are in place."
        finding = Finding(TOPOLOGY_READY, "True", "Provisioned", message)
    return ObjectPlan(ACCEPTED_FINDING, finding, plan.steps, secrets)


def _taken(pool: GenerationPool, observed: Observed, objects: ObjectState) -> Finding | None:
    """Why this pool may not have its queue, or one of its objects' names."""
    if observed.queue_owner is not None:
        return Finding(ACCEPTED, "False", "QueueTaken", queue_taken(observed.queue_owner))
    name = pool.metadata.name
    owners: list[tuple[str, OwnerFacts | None]] = [
        (f"Deployment {names.deployment(name)}", _owner(observed.deployment)),
        (f"ConfigMap {names.config_map(name)}", _owner(objects.config_map)),
    ]
    for what, facts in owners:
        whose: Ownership = "ours" if facts is None else ownership(facts, pool.metadata)
        if whose == "previous":
            message = f"{what} of a deleted pool of this name is still being removed by Kubernetes."
            return Finding(ACCEPTED, "False", PREVIOUS_POOL, message)
        if whose == "foreign":
            message = (
                f"{what} is there and is not this pool's; it is left alone. Give the pool another name, "
                "or ask whoever owns it to move."
            )
            return Finding(ACCEPTED, "False", "NameTaken", message)
    return None


def _owner(view: DeploymentView | ConfigMapView | None) -> OwnerFacts | None:
    return None if view is None else view.owner


def _differs(config_map: JsonObject, live: ConfigMapView | None, pool: GenerationPool) -> bool:
    return live is None or dict(live.data) != config_map["data"] or not marked(live.owner, pool.metadata)


def _apply_deployment(
    pool: GenerationPool, settings: PodDefaults, deployment: JsonObject, observed: Observed
) -> Apply | None:
    live = observed.deployment
    if live is None:
        return Apply(deployment, build_initial_deployment(pool, settings))
    same = live.spec_hash == _spec_hash(deployment) and marked(live.owner, pool.metadata)
    if same and live.fingerprint == observed.memory.applied_fingerprint:
        return None
    return Apply(_only_this(deployment, live.uid))


def _only_this(deployment: JsonObject, uid: str) -> JsonObject:
    """With its UID the apply fails when the object is gone. Without, it would create one that starts a pod."""
    metadata = deployment["metadata"]
    return {**deployment, "metadata": {**metadata, "uid": uid}} if isinstance(metadata, dict) else deployment


def object_name(manifest: JsonObject) -> str:
    """Name of an object that was built here."""
    metadata = manifest["metadata"]
    return str(metadata["name"]) if isinstance(metadata, dict) else ""


def _spec_hash(deployment: JsonObject) -> object:
    metadata = deployment["metadata"]
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations.get(names.ANNOTATION_SPEC_HASH) if isinstance(annotations, dict) else None
