"""Deployments and pods: the fields that the operator reads. See the API reference of each kind for their meaning."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator

from genpool_core import names
from genpool_core.kube.objects import KubeModel, Metadata, OwnedObject, Timestamp
from genpool_core.loose import Items, LooseModel


def _number(value: object) -> int:
    """A number as an annotation holds it: as text."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return int(value)


NumberText = Annotated[int, PlainValidator(_number)]


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
    """The annotations that the operator writes: which pod a scale-in takes first, what ComfyUI's image was."""

    deletion_cost: Annotated[NumberText | None, Field(alias=names.ANNOTATION_DELETION_COST)] = None
    image_digest: Annotated[str | None, Field(alias=names.ANNOTATION_IMAGE_DIGEST)] = None


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
    image_id: Annotated[str, Field(alias="imageID")] = ""
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
