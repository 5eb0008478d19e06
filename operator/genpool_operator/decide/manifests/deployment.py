"""The Deployment of a pool's pods. It never sets ``replicas``: that field is written through ``/scale`` only."""

from __future__ import annotations

from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.canonical import canonical_json, digest
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import COMFYUI_CONTAINER
from genpool_core.workerconfig import grace_seconds
from genpool_operator.decide.manifests.comfyui import SCRATCH_VOLUME, comfyui_container, models_volume
from genpool_operator.decide.manifests.common import metadata
from genpool_operator.decide.manifests.init import init_container, init_volume
from genpool_operator.decide.manifests.liveness import restart_volume
from genpool_operator.decide.manifests.pod import PodDefaults, pod_volume
from genpool_operator.decide.manifests.secret_files import secret_volumes
from genpool_operator.decide.manifests.worker import CONFIG_VOLUME, worker_container

#: User of all containers, unless the pool says otherwise.
RUN_AS = 10_001
POD_SECURITY: JsonObject = {
    "runAsNonRoot": True,
    "runAsUser": RUN_AS,
    "fsGroup": RUN_AS,
    # With this a pod fits the Pod Security Standard "restricted".
    "seccompProfile": {"type": "RuntimeDefault"},
}
#: Containers that need nothing of the cloud. On EKS an identity of the pod is then the worker's alone.
_WITHOUT_IDENTITY = ("init", COMFYUI_CONTAINER)
#: Old ReplicaSets that are kept; the operator makes the Deployment from the pool, nobody rolls back by hand.
REVISIONS = 3


def build_deployment(pool: GenerationPool, settings: PodDefaults, config_hash: str) -> JsonObject:
    """The Deployment as the operator applies it; an annotation holds the hash of its metadata and spec."""
    spec: JsonObject = {
        "selector": {"matchLabels": {**names.pool_selector(pool.metadata.name)}},
        # A surge would need a spare GPU, and a rollout without one would hang.
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
        },
        "revisionHistoryLimit": REVISIONS,
        "progressDeadlineSeconds": (
            grace_seconds(pool) + pool.spec.comfyui.probe.startup_seconds + timing.ROLLOUT_MARGIN_SECONDS
        ),
        "template": _template(pool, settings, config_hash),
    }
    name = names.deployment(pool.metadata.name)
    unhashed: JsonObject = {"metadata": metadata(pool, name), "spec": spec}
    annotations: JsonObject = {names.ANNOTATION_SPEC_HASH: digest(canonical_json(unhashed))[:16]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(pool, name, annotations),
        "spec": spec,
    }


def build_initial_deployment(pool: GenerationPool, settings: PodDefaults) -> JsonObject:
    """The least Deployment that is valid, with no replicas, for a field manager of its own.

    That manager goes on owning ``replicas: 0``, so that the operator's apply without the field does not set it back
    to Kubernetes' default of 1. All else that it owns is in every manifest of the operator, so it never keeps a field
    alive that the operator drops.
    """
    labels: JsonObject = {**names.pool_selector(pool.metadata.name)}
    worker: JsonObject = {"name": "worker", "image": pool.spec.worker.image or settings.worker_image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(pool, names.deployment(pool.metadata.name)),
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [worker]}},
        },
    }


def _template(pool: GenerationPool, settings: PodDefaults, config_hash: str) -> JsonObject:
    own = pool.spec.template.metadata
    return {
        "metadata": {
            "labels": {**own.labels, **names.pool_labels(pool.metadata.name)},
            "annotations": {
                **own.annotations,
                names.ANNOTATION_CONFIG_HASH: config_hash,
                names.ANNOTATION_NO_IDENTITY: ",".join(_WITHOUT_IDENTITY),
            },
        },
        "spec": {
            **_placement(pool),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": grace_seconds(pool),
            "securityContext": _security(pool),
            "initContainers": [init_container(pool, settings), comfyui_container(pool.spec.comfyui)],
            "containers": [worker_container(pool, settings)],
            "volumes": [
                {"name": SCRATCH_VOLUME, "emptyDir": {"sizeLimit": pool.spec.comfyui.scratch_size}},
                {"name": CONFIG_VOLUME, "configMap": {"name": names.config_map(pool.metadata.name)}},
                pod_volume(),
                restart_volume(),
                init_volume(),
                *secret_volumes(pool),
                *models_volume(pool.spec.comfyui),
            ],
        },
    }


def _security(pool: GenerationPool) -> JsonObject:
    """An empty one is a choice: the users that the images name, or that the platform gives (OpenShift)."""
    chosen = pool.spec.template.security_context
    return POD_SECURITY if chosen is None else chosen


def _placement(pool: GenerationPool) -> JsonObject:
    """The fields of ``spec.template`` that the pool sets."""
    template = pool.spec.template
    said: JsonObject = {
        "nodeSelector": {**template.node_selector},
        "tolerations": [*template.tolerations],
        "affinity": template.affinity,
        "priorityClassName": template.priority_class_name,
        "runtimeClassName": template.runtime_class_name,
        "serviceAccountName": template.service_account_name,
        "imagePullSecrets": [{"name": ref.name} for ref in template.image_pull_secrets],
    }
    return {key: value for key, value in said.items() if value}
