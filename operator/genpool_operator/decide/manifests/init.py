"""The init that is the first process of ComfyUI's container, so that SIGTERM ends a pod at once.

A first process without a handler ignores SIGTERM. ComfyUI has none, and would hold its GPU for the pod's whole grace.
The worker ends first and cannot do it: the containers share no processes, as one that does can read all secrets of the
other. Kubernetes sends SIGTERM to ComfyUI's container as soon as the worker has ended.
"""

from __future__ import annotations

from genpool_core.api.pods import ComfyUISpec
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import INIT_NAME
from genpool_operator.decide.manifests.pod import (
    CONTAINER_SECURITY,
    PodDefaults,
    worker_image,
    worker_resources,
)

INIT_VOLUME = "init"
INIT_PATH = "/genpool-init"
#: The program has 18 KB.
INIT_SIZE = "1Mi"
#: SIGTERM reaches ComfyUI and what it started as SIGKILL: it saves nothing at SIGTERM, and one that hangs heeds it not.
SIGTERM_AS_SIGKILL = "15:9"
#: For an image that starts by itself, where its own first process may ignore SIGTERM: interrupt that, end all others.
_END_ALL = (
    "import contextlib, os\n"
    "for pid, number in ((1, 2), (-1, 9)):\n"
    "    with contextlib.suppress(OSError):\n"
    "        os.kill(pid, number)\n"
)


def init_container(pool: GenerationPool, settings: PodDefaults) -> JsonObject:
    """Copies the init from the worker's image to its volume. It ends before ComfyUI starts."""
    return {
        "name": "init",
        **worker_image(pool, settings),
        "command": ["python3", "-m", "genpool_worker.container_init", INIT_PATH],
        "resources": worker_resources(pool),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": INIT_VOLUME, "mountPath": INIT_PATH}],
    }


def init_volume() -> JsonObject:
    """Holds the init."""
    return {"name": INIT_VOLUME, "emptyDir": {"sizeLimit": INIT_SIZE}}


def init_mount() -> JsonObject:
    """The init as ComfyUI's container sees it."""
    return {"name": INIT_VOLUME, "mountPath": INIT_PATH, "readOnly": True}


def started(spec: ComfyUISpec) -> JsonObject:
    """The fields of ComfyUI's container that say how it starts and ends.

    An empty ``command`` means the image's ENTRYPOINT, which Kubernetes cannot put behind another program: before
    SIGTERM a hook ends the processes of such a container from within.
    """
    if spec.command:
        return {"command": [f"{INIT_PATH}/{INIT_NAME}", "--rewrite", SIGTERM_AS_SIGKILL, "--", *spec.command]}
    return {"lifecycle": {"preStop": {"exec": {"command": [spec.probe.python, "-c", _END_ALL]}}}}
