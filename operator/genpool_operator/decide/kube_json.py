"""Kubernetes' JSON: the fields that the operator reads. See the API reference of each kind for their meaning."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, InstanceOf, PlainValidator
from pydantic.alias_generators import to_camel

from genpool_core import names
from genpool_core.jsontypes import JsonObject
from genpool_core.loose import Entries, Items, LooseModel


class KubeModel(LooseModel):
    """A part of an object. Fields are named as in the API but for their case."""

    model_config = ConfigDict(alias_generator=to_camel)


def _timestamp(value: object) -> datetime:
    """RFC 3339, as Kubernetes writes times; a naive one cannot be compared with the clock."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else None
    if found is None or found.tzinfo is None:
        raise ValueError("no time with a zone")
    return found


def _number(value: object) -> int:
    """A number as an annotation holds it: as text."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return int(value)


Timestamp = Annotated[datetime, PlainValidator(_timestamp)]
NumberText = Annotated[int, PlainValidator(_number)]

# Metadata ----------------------------------------------------------------------------------------------------------


class Metadata(KubeModel):
    """What every object has."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0


class AnyObject(KubeModel):
    """An object of any kind."""

    metadata: Metadata = Metadata()


class OwnerReference(KubeModel):
    """An owner; at most one is the controller."""

    kind: str = ""
    uid: str = ""
    controller: bool = False


class OwnedMetadata(Metadata):
    """Metadata of an object that the operator makes."""

    labels: Entries[str] = Field(default_factory=dict)
    annotations: Entries[str] = Field(default_factory=dict)
    owner_references: Items[OwnerReference] = ()


class OwnedObject(KubeModel):
    """An object that the operator makes."""

    metadata: OwnedMetadata = OwnedMetadata()


class ConfigMap(OwnedObject):
    """A ConfigMap."""

    data: Entries[str] = Field(default_factory=dict)
    binary_data: Entries[str] = Field(default_factory=dict)
    """What is no UTF-8, in base64."""


class Secret(OwnedObject):
    """A Secret; its values are base64."""

    data: Entries[str] = Field(default_factory=dict, repr=False)


class ConditionBody(KubeModel):
    """A condition of a Deployment or pod."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: Timestamp | None = None


# Deployments -------------------------------------------------------------------------------------------------------


class DeploymentSpec(KubeModel, extra="allow"):
    """The wanted replicas; the rest of the spec, as it came, is ``model_extra``."""

    replicas: int = 1


class DeploymentStatus(KubeModel):
    """What the Deployment's controller saw."""

    observed_generation: int = 0
    updated_replicas: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    conditions: Items[ConditionBody] = ()


class Deployment(OwnedObject):
    """A Deployment."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


# Pods --------------------------------------------------------------------------------------------------------------


class PodLabels(LooseModel):
    """The label that names the pool."""

    instance: Annotated[str, Field(alias=names.LABEL_INSTANCE)] = ""


class PodAnnotations(LooseModel):
    """The annotation that says which pod a scale-in takes first."""

    deletion_cost: Annotated[NumberText | None, Field(alias=names.ANNOTATION_DELETION_COST)] = None


class PodMetadata(Metadata):
    """Metadata of a pod. It is being deleted when it has a ``deletion_timestamp``, whatever that says."""

    labels: PodLabels = PodLabels()
    annotations: PodAnnotations = PodAnnotations()
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: object = None


class Waiting(KubeModel):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""


class Terminated(KubeModel):
    """How a container ended."""

    reason: str = ""
    exit_code: int | None = None


class ContainerState(KubeModel):
    """A container's state now (``waiting``) or before (``terminated``)."""

    waiting: Waiting = Waiting()
    terminated: Terminated = Terminated()


class ContainerStatus(KubeModel):
    """A container of a pod."""

    name: str = ""
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(KubeModel):
    """What the kubelet and the scheduler say about a pod."""

    phase: str = ""
    reason: str = ""
    """Why it failed: Evicted, UnexpectedAdmissionError and the like; also NodeLost, of a pod that still runs."""
    message: str = ""
    conditions: Items[ConditionBody] = ()
    init_container_statuses: Items[ContainerStatus] = ()
    container_statuses: Items[ContainerStatus] = ()


class Pod(KubeModel):
    """A pod."""

    metadata: PodMetadata = PodMetadata()
    status: PodStatus = PodStatus()


# Answers -----------------------------------------------------------------------------------------------------------


class ListMetadata(KubeModel):
    """Metadata of a page; ``next_page`` is empty on the last one."""

    next_page: Annotated[str, Field(alias="continue")] = ""


class Page(KubeModel):
    """A page of a list, its objects as they came."""

    metadata: ListMetadata = ListMetadata()
    items: Items[InstanceOf[JsonObject]] = ()


class StatusCause(KubeModel):
    """One of the causes of a refusal."""

    reason: str = ""


class StatusDetails(KubeModel):
    """Details of a ``Status``."""

    retry_after_seconds: int = 0
    causes: Items[StatusCause] = ()


class StatusBody(KubeModel):
    """A ``Status``, with which the API server answers what it refuses."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails = StatusDetails()
