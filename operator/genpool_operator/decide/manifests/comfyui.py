"""The ComfyUI container: a native sidecar that starts before the worker and stops after it."""

from __future__ import annotations

import math

from genpool_core import timing
from genpool_core.api.pods import ComfyUISpec
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import COMFYUI_CONTAINER
from genpool_core.workerconfig import DEFAULT_RESOURCES
from genpool_operator.decide.manifests.home import COMFYUI_FOLDERS, environment, user_arguments
from genpool_operator.decide.manifests.init import init_mount, started
from genpool_operator.decide.manifests.liveness import liveness_probe, restart_mount
from genpool_operator.decide.manifests.pod import CONTAINER_SECURITY

SCRATCH_VOLUME = "scratch"
MODELS_VOLUME = "models"
SCRATCH_PATH = "/scratch"
SCRATCH_FOLDERS = ("input", "output", "temp")
PORT = 8188
URL = f"http://127.0.0.1:{PORT}"


def comfyui_container(spec: ComfyUISpec) -> JsonObject:
    """The container. It has no readiness probe: Kubernetes ends NotReady pods first, whatever their deletion cost."""
    container: JsonObject = {
        "name": COMFYUI_CONTAINER,
        "image": spec.image,
        "restartPolicy": "Always",
        **started(spec),
        "args": [*spec.args, *_own_arguments(), *user_arguments([*spec.command, *spec.args], SCRATCH_PATH)],
        "env": [*environment(spec.env, SCRATCH_PATH)],
        "resources": DEFAULT_RESOURCES if spec.resources is None else spec.resources,
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            init_mount(),
            *scratch_mounts(*COMFYUI_FOLDERS),
            restart_mount(read_only=True),
            *_models_mount(spec),
        ],
        "startupProbe": {
            **_startup_probe(spec),
            "periodSeconds": timing.STARTUP_PERIOD_SECONDS,
            "failureThreshold": math.ceil(spec.probe.startup_seconds / timing.STARTUP_PERIOD_SECONDS),
        },
        "livenessProbe": liveness_probe(spec.probe, URL),
    }
    if spec.image_pull_policy is not None:
        container["imagePullPolicy"] = spec.image_pull_policy
    return container


def scratch_mounts(*more: str) -> list[JsonObject]:
    """Mounts of ComfyUI's folders, at the same paths in both containers; ``more``: those of one container only."""
    return [
        {"name": SCRATCH_VOLUME, "mountPath": f"{SCRATCH_PATH}/{folder}", "subPath": folder}
        for folder in (*SCRATCH_FOLDERS, *more)
    ]


def models_volume(spec: ComfyUISpec) -> list[JsonObject]:
    """The volume with the models, when the pool has one."""
    return [] if spec.models is None else [{**spec.models.volume, "name": MODELS_VOLUME}]


def _models_mount(spec: ComfyUISpec) -> list[JsonObject]:
    if spec.models is None:
        return []
    return [
        {"name": MODELS_VOLUME, "mountPath": spec.models.mount_path, "readOnly": spec.models.read_only},
    ]


def _own_arguments() -> list[str]:
    """Loopback only: ComfyUI's API has no password and runs code."""
    folders = [
        part for folder in SCRATCH_FOLDERS for part in (f"--{folder}-directory", f"{SCRATCH_PATH}/{folder}")
    ]
    return ["--listen", "127.0.0.1", "--port", str(PORT), *folders]


def _startup_probe(spec: ComfyUISpec) -> JsonObject:
    """Ask from inside: the kubelet cannot reach loopback. A proxy of the environment is not used.

    What a failed probe prints becomes an event: one sentence, no traceback.
    """
    url = f"{URL}/system_stats"
    script = (
        "import sys, urllib.request as r\n"
        "try:\n"
        f"    r.build_opener(r.ProxyHandler({{}})).open('{url}', timeout={spec.probe.timeout_seconds}).read()\n"
        "except Exception as e:\n"
        "    sys.exit(f'ComfyUI does not answer: {e}')\n"
    )
    return {
        "exec": {"command": [spec.probe.python, "-c", script]},
        "timeoutSeconds": spec.probe.timeout_seconds,
        "terminationGracePeriodSeconds": timing.PROBE_GRACE_SECONDS,
    }
