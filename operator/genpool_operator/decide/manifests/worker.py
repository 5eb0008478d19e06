"""The worker container: the main container of the pod."""

from __future__ import annotations

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.podlayout import OWN_FOLDER
from genpool_core.workerconfig import CONFIG_PATH
from genpool_operator.decide.manifests.comfyui import PORT as COMFYUI_PORT
from genpool_operator.decide.manifests.comfyui import SCRATCH_PATH, scratch_mounts
from genpool_operator.decide.manifests.liveness import restart_mount
from genpool_operator.decide.manifests.pod import (
    CONTAINER_SECURITY,
    PodDefaults,
    pod_mount,
    worker_image,
    worker_resources,
)
from genpool_operator.decide.manifests.secret_files import secret_mounts, secret_variables

CONFIG_VOLUME = "config"
HTTP_PORT = 8080


def worker_container(pool: GenerationPool, settings: PodDefaults) -> JsonObject:
    """The container. Its readiness is the pod's: true from first ready to the end of its drain."""
    return {
        "name": "worker",
        **worker_image(pool, settings),
        "env": _environment(pool, settings),
        "ports": [{"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"}],
        "resources": worker_resources(pool),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": CONFIG_VOLUME, "mountPath": CONFIG_PATH, "readOnly": True},
            pod_mount(),
            *scratch_mounts(OWN_FOLDER),
            restart_mount(read_only=False),
            *secret_mounts(pool),
        ],
        # Until it has started, liveness is not asked: a pod that is starved of CPU would be restarted again and again.
        "startupProbe": {
            "httpGet": {"path": "/healthz", "port": "http"},
            "periodSeconds": timing.WORKER_START_PERIOD_SECONDS,
            "timeoutSeconds": timing.WORKER_LIVE_TIMEOUT_SECONDS,
            "failureThreshold": timing.WORKER_START_SECONDS // timing.WORKER_START_PERIOD_SECONDS,
            "terminationGracePeriodSeconds": timing.WORKER_HUNG_GRACE_SECONDS,
        },
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": "http"},
            "periodSeconds": timing.WORKER_READY_PERIOD_SECONDS,
            "timeoutSeconds": timing.WORKER_READY_TIMEOUT_SECONDS,
            "failureThreshold": timing.WORKER_READY_FAILURES,
        },
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "http"},
            "periodSeconds": timing.WORKER_LIVE_PERIOD_SECONDS,
            "timeoutSeconds": timing.WORKER_LIVE_TIMEOUT_SECONDS,
            "failureThreshold": timing.WORKER_LIVE_FAILURES,
            # It hangs: the pod's grace is for workers that can still finish their task.
            "terminationGracePeriodSeconds": timing.WORKER_HUNG_GRACE_SECONDS,
        },
    }


def _environment(pool: GenerationPool, settings: PodDefaults) -> list[JsonValue]:
    """GenPool's variables first; of the pool's own those with other names."""
    ours: list[JsonObject] = [
        {"name": "GENPOOL_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        *_plain(pool, settings),
    ]
    taken = {str(entry["name"]) for entry in ours}
    theirs = [entry for entry in pool.spec.worker.env if entry.get("name") not in taken]
    return [*ours, *theirs]


def _plain(pool: GenerationPool, settings: PodDefaults) -> list[JsonObject]:
    values = {
        "GENPOOL_CONFIG_DIR": CONFIG_PATH,
        "GENPOOL_BROKER_HOST": settings.broker_host,
        "GENPOOL_BROKER_PORT": str(settings.broker_port),
        "GENPOOL_BROKER_TLS": "true" if settings.broker_tls else "false",
        "GENPOOL_BROKER_VHOST": pool.spec.broker.vhost,
        "GENPOOL_COMFYUI_URL": f"http://127.0.0.1:{COMFYUI_PORT}",
        "GENPOOL_SCRATCH_DIR": SCRATCH_PATH,
        "GENPOOL_HTTP_PORT": str(HTTP_PORT),
        "GENPOOL_LOG_FORMAT": "json",
    }
    if settings.broker_ca_certificates:
        values["GENPOOL_BROKER_CA_CERTIFICATES"] = settings.broker_ca_certificates
    values |= secret_variables(pool)
    return [{"name": name, "value": value} for name, value in values.items()]
