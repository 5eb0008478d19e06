"""Kubernetes objects as the operator uses them, parsed where they come in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from genpool_core import names
from genpool_core.canonical import canonical_json, digest
from genpool_core.image_digest import digest_in
from genpool_core.jsontypes import JsonObject
from genpool_core.kube.objects import AnyObject, ConfigMap, OwnedMetadata, OwnedObject, OwnerReference, Secret
from genpool_core.podlayout import COMFYUI_CONTAINER
from genpool_operator.decide.failed_pods import POD_FAILED
from genpool_operator.decide.kube_json import (
    ConditionBody,
    ContainerStatus,
    Deployment,
    DeploymentStatus,
    Pod,
    PodStatus,
)
from genpool_operator.decide.ownership import OwnerFacts
from genpool_operator.decide.pods import ContainerView, FailureView, PodView

#: Reason of a pod that may still run, on a node that is silent.
NODE_LOST = "NodeLost"


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
    proven: bool = False
    """Whether a pod of the newest template is ready."""
    refused: str | None = None
    """Why Kubernetes makes no pods: a quota, an admission policy."""

    @property
    def applied(self) -> bool:
        """Whether it was applied as a whole; the initial one has a container that is not ready for anything."""
        return self.spec_hash is not None


@dataclass(frozen=True)
class ConfigMapView:
    """A ConfigMap; ``data`` is what it holds, ``binary`` what is no UTF-8."""

    owner: OwnerFacts
    data: Mapping[str, str] = field(default_factory=dict)
    binary: Mapping[str, bytes] = field(default_factory=dict)


def parse_deployment(body: JsonObject) -> DeploymentView:
    """A Deployment of the API server."""
    found = Deployment.read_object(body)
    meta, spec, status = found.metadata, found.spec, found.status
    failures = (item for item in status.conditions if item.type == "ReplicaFailure" and item.status == "True")
    failure = next(failures, None)
    return DeploymentView(
        name=meta.name,
        namespace=meta.namespace,
        instance=meta.labels.get(names.LABEL_INSTANCE, ""),
        owner=_owner(meta),
        uid=meta.uid,
        resource_version=meta.resource_version,
        spec_hash=meta.annotations.get(names.ANNOTATION_SPEC_HASH) or None,
        fingerprint=digest(canonical_json(spec.model_extra or {}))[:16],
        wanted=spec.replicas,
        existing=status.replicas,
        ready=status.ready_replicas,
        proven=_proven(meta.generation, status),
        refused=None if failure is None else failure.message,
    )


def _proven(generation: int, status: DeploymentStatus) -> bool:
    """Whether more pods are ready than there are of older templates: then one of the newest is."""
    newest = status.observed_generation >= generation and status.updated_replicas > 0
    return newest and status.ready_replicas > status.replicas - status.updated_replicas


def parse_pod(body: JsonObject) -> PodView:
    """A pod of the API server."""
    found = Pod.read_object(body)
    meta, status = found.metadata, found.status
    by_type = {item.type: item for item in status.conditions}
    ready, scheduled = by_type.get("Ready", ConditionBody()), by_type.get("PodScheduled", ConditionBody())
    unready = ready.status == "False"
    unschedulable = scheduled.status == "False" and scheduled.reason == "Unschedulable"
    return PodView(
        name=meta.name,
        namespace=meta.namespace,
        instance=meta.labels.instance,
        resource_version=meta.resource_version,
        ready=ready.status == "True",
        terminating=meta.deletion_timestamp is not None,
        finished=status.phase in {"Succeeded", "Failed"},
        unschedulable_since=scheduled.last_transition_time if unschedulable else None,
        unschedulable_message=scheduled.message if unschedulable else "",
        unready_since=ready.last_transition_time if unready else None,
        ready_since=ready.last_transition_time if ready.status == "True" else None,
        deletion_cost=meta.annotations.deletion_cost,
        image_digest=_image_digest(status),
        told_image_digest=meta.annotations.image_digest,
        containers=tuple(map(_container, (*status.init_container_statuses, *status.container_statuses))),
        failure=_failure(found),
    )


def _failure(pod: Pod) -> FailureView | None:
    """Why and when Kubernetes ended a pod, or did not admit it.

    A pod that was deleted ends as Failed or Succeeded too, without a reason, and that is no failure. A pod that was not
    admitted has no condition of the moment: it failed as soon as it was there.
    """
    meta, status = pod.metadata, pod.status
    by_type = {item.type: item for item in status.conditions}
    disruption = by_type.get("DisruptionTarget", ConditionBody())
    deleted = meta.deletion_timestamp is not None
    failed = status.phase == "Failed" and (bool(status.reason) or not deleted)
    if not failed and status.reason != NODE_LOST:
        return None
    ready = by_type.get("Ready", ConditionBody())
    times = [disruption.last_transition_time, ready.last_transition_time, meta.creation_timestamp]
    at = max((time for time in times if time is not None), default=None)
    if at is None:
        return None
    reason = status.reason or disruption.reason or POD_FAILED
    return FailureView(at, reason, status.message or disruption.message)


def parse_config_map(body: JsonObject) -> ConfigMapView:
    """A ConfigMap of the API server."""
    found = ConfigMap.read_object(body)
    binary = {key: raw for key, value in found.binary_data.items() if (raw := _bytes(value)) is not None}
    return ConfigMapView(_owner(found.metadata), found.data, binary)


def parse_secret(body: JsonObject, key: str) -> str | None:
    """A key of a Secret as text; None where it is missing, or none."""
    value = Secret.read_object(body).data.get(key)
    raw = None if value is None else _bytes(value)
    return None if raw is None else raw.decode(errors="replace")


def parse_uid(body: JsonObject) -> str:
    """UID of any object."""
    return AnyObject.read_object(body).metadata.uid


def parse_owner(body: JsonObject) -> OwnerFacts:
    """Labels and controller of any object."""
    return _owner(OwnedObject.read_object(body).metadata)


def _owner(meta: OwnedMetadata) -> OwnerFacts:
    controller = next((owner for owner in meta.owner_references if owner.controller), OwnerReference())
    return OwnerFacts(meta.labels, controller.kind or None, controller.uid or None)


def _image_digest(status: PodStatus) -> str | None:
    """Of ComfyUI's container, which is a native sidecar and so an init container."""
    found = (item.image_id for item in status.init_container_statuses if item.name == COMFYUI_CONTAINER)
    return digest_in(next(found, None))


def _container(status: ContainerStatus) -> ContainerView:
    waiting, ended = status.state.waiting, status.last_state.terminated
    return ContainerView(
        name=status.name,
        restarts=status.restart_count,
        waiting=waiting.reason or None,
        waiting_message=waiting.message,
        ended=ended.reason or None,
        exit_code=ended.exit_code,
    )


def _bytes(value: str) -> bytes | None:
    """Bytes from base64; None where it is none."""
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return None
