"""What the containers of a pod share."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import IMAGE_DIGEST_FILE, POD_FOLDER
from genpool_operator.decide.volumes import USUAL_VOLUMES

CONTAINER_SECURITY: JsonObject = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
WORKER_RESOURCES: JsonObject = {"requests": {"cpu": "100m", "memory": "256Mi"}}


#: Volume with the annotations that the operator writes later; empty files until then.
POD_VOLUME = "pod"


def pod_volume() -> JsonObject:
    """What the operator tells the worker of its pod, by the downward API."""
    field: JsonObject = {"fieldPath": f"metadata.annotations['{names.ANNOTATION_IMAGE_DIGEST}']"}
    return {"name": POD_VOLUME, "downwardAPI": {"items": [{"path": IMAGE_DIGEST_FILE, "fieldRef": field}]}}


def pod_mount() -> JsonObject:
    """Its mount in the worker."""
    return {"name": POD_VOLUME, "mountPath": POD_FOLDER, "readOnly": True}


@dataclass(frozen=True)
class PodDefaults:
    """What a pod needs to know beyond its pool: the broker as pods reach it, and what the platform team decided."""

    broker_host: str
    broker_port: int
    broker_tls: bool
    worker_image: str
    worker_image_pull_policy: str | None = None
    broker_ca_certificates: str = ""
    allowed_volumes: tuple[str, ...] = USUAL_VOLUMES


def worker_image(pool: GenerationPool, settings: PodDefaults) -> JsonObject:
    """Image and pull policy of the containers that run the worker's image."""
    spec = pool.spec.worker
    found: JsonObject = {"image": spec.image or settings.worker_image}
    policy = spec.image_pull_policy or settings.worker_image_pull_policy
    return found if policy is None else {**found, "imagePullPolicy": policy}


def worker_resources(pool: GenerationPool) -> JsonObject:
    """Resources of those containers."""
    resources = pool.spec.worker.resources
    return WORKER_RESOURCES if resources is None else resources
