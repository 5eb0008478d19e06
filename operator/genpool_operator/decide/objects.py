"""Kubernetes objects as the operator uses them, parsed where they come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from genpool_core import names
from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.canonical import canonical_json, digest
from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_operator.decide.ownership import OwnerFacts
from genpool_operator.decide.pods import ContainerView, PodView


@dataclass(frozen=True)
class PoolRecord:
    """A GenerationPool as it is stored: either one that can be read, or what is wrong with it."""

    meta: ObjectMeta
    status: GenerationPoolStatus
    pool: GenerationPool | None = None
    error: InvalidManifest | None = None

    @property
    def resource_version(self) -> str:
        """As Kubernetes gives it."""
        return self.meta.resource_version


@dataclass(frozen=True)
class DeploymentView:
    """A Deployment. ``fingerprint`` is a hash of its whole spec but the replicas: it finds what somebody changed."""

    name: str
    namespace: str
    instance: str
    owner: OwnerFacts
    uid: str = ""
    resource_version: str = ""
    spec_hash: str | None = None
    fingerprint: str = ""
    wanted: int = 0
    existing: int = 0
    ready: int = 0
    refused: str | None = None
    """Why Kubernetes makes no pods: a quota, an admission policy."""


@dataclass(frozen=True)
class ConfigMapView:
    """A ConfigMap; ``data`` is what it holds."""

    owner: OwnerFacts
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SecretView:
    """The Secret with the workers' RabbitMQ user. None where a key is missing."""

    owner: OwnerFacts
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_pool(body: JsonObject) -> PoolRecord:
    """A GenerationPool of the API server. A status that another release wrote and we cannot read counts as none."""
    meta = ObjectMeta.model_validate(body.get("metadata"))
    try:
        status = GenerationPoolStatus.model_validate(body.get("status") or {})
    except ValidationError:
        status = GenerationPoolStatus()
    readable: JsonObject = {key: value for key, value in body.items() if key != "status"}
    try:
        pool = GenerationPool.parse(readable).model_copy(update={"status": status})
    except InvalidManifest as error:
        return PoolRecord(meta, status, error=error)
    return PoolRecord(meta, status, pool=pool)


def parse_deployment(body: JsonObject) -> DeploymentView:
    """A Deployment of the API server."""
    meta, spec, status = _object(body, "metadata"), _object(body, "spec"), _object(body, "status")
    failure = next(
        (
            condition
            for condition in _objects(status, "conditions")
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        ),
        None,
    )
    rest = {key: value for key, value in spec.items() if key != "replicas"}
    return DeploymentView(
        name=_text(meta, "name"),
        namespace=_text(meta, "namespace"),
        instance=_text(_object(meta, "labels"), names.LABEL_INSTANCE),
        owner=parse_owner(body),
        uid=_text(meta, "uid"),
        resource_version=_text(meta, "resourceVersion"),
        spec_hash=_text(_object(meta, "annotations"), names.ANNOTATION_SPEC_HASH) or None,
        fingerprint=digest(canonical_json(rest))[:16],
        wanted=_number(spec, "replicas", 1),
        existing=_number(status, "replicas", 0),
        ready=_number(status, "readyReplicas", 0),
        refused=None if failure is None else _text(failure, "message"),
    )


def parse_pod(body: JsonObject) -> PodView:
    """A pod of the API server."""
    meta, status = _object(body, "metadata"), _object(body, "status")
    by_type = {_text(item, "type"): item for item in _objects(status, "conditions")}
    scheduled = by_type.get("PodScheduled", {})
    unschedulable = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    cost = _text(_object(meta, "annotations"), names.ANNOTATION_DELETION_COST)
    containers = [*_objects(status, "initContainerStatuses"), *_objects(status, "containerStatuses")]
    return PodView(
        name=_text(meta, "name"),
        namespace=_text(meta, "namespace"),
        instance=_text(_object(meta, "labels"), names.LABEL_INSTANCE),
        resource_version=_text(meta, "resourceVersion"),
        ready=by_type.get("Ready", {}).get("status") == "True",
        terminating=meta.get("deletionTimestamp") is not None,
        finished=status.get("phase") in {"Succeeded", "Failed"},
        unschedulable_since=_time(scheduled.get("lastTransitionTime")) if unschedulable else None,
        unschedulable_message=_text(scheduled, "message") if unschedulable else "",
        deletion_cost=int(cost) if cost.lstrip("-").isdecimal() else None,
        containers=tuple(_container(item) for item in containers),
    )


def parse_owner(body: JsonObject) -> OwnerFacts:
    """Labels and controller of any object."""
    meta = _object(body, "metadata")
    controller = next((ref for ref in _objects(meta, "ownerReferences") if ref.get("controller") is True), {})
    labels = {key: str(value) for key, value in _object(meta, "labels").items()}
    return OwnerFacts(labels, _text(controller, "kind") or None, _text(controller, "uid") or None)


def _container(status: JsonObject) -> ContainerView:
    waiting = _object(_object(status, "state"), "waiting")
    ended = _object(_object(status, "lastState"), "terminated")
    exit_code = ended.get("exitCode")
    return ContainerView(
        name=_text(status, "name"),
        restarts=_number(status, "restartCount", 0),
        waiting=_text(waiting, "reason") or None,
        waiting_message=_text(waiting, "message"),
        ended=_text(ended, "reason") or None,
        exit_code=exit_code if isinstance(exit_code, int) else None,
    )


def _object(value: JsonObject, key: str) -> JsonObject:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _objects(value: JsonObject, key: str) -> list[JsonObject]:
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _text(value: JsonObject, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _number(value: JsonObject, key: str, default: int) -> int:
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def _time(value: JsonValue) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
