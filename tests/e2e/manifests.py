"""Pools and tasks of the e2e tests: small, fast to start, with a grace that a hung pod would be seen to use."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.names import API_VERSION, KIND
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.stack import layout

POOL = "pool"
#: A vhost of the tests' own, so that a demo on the same broker is not met.
VHOST = "genpool-e2e"
#: All scenes' results and records lie below this.
FOLDER = "e2e/"
GRACE_SECONDS = 600


@dataclass(frozen=True)
class Servers:
    """Ports on this machine that tasks may name."""

    photos: int
    receivers: tuple[int, ...]


def pool(info: ClusterInfo, servers: Servers, place: str, changes: JsonObject) -> JsonObject:
    """The pool of a scene: namespace, queue and folder of the bucket are named after ``place``.

    ``changes`` are merged into ``spec``, object by object; other values and lists replace what was there.
    """
    spec: JsonObject = {
        "broker": {"name": layout.BROKER, "vhost": VHOST},
        "queue": {"name": queue_name(place), "retry": {"maxAttempts": 2}},
        "workflows": [
            {"name": "text-to-image", "source": {"builtin": "text-to-image"}, "timeoutSeconds": 240}
        ],
        "comfyui": {
            "image": info.images["comfyui-standin"],
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-m", "genpool_dev.comfyui"],
            "resources": _resources("512Mi"),
            "scratchSize": "256Mi",
        },
        "worker": {"resources": _resources("512Mi")},
        "storage": {
            "type": "S3",
            "s3": {
                "endpoint": info.s3.in_cluster_endpoint,
                "publicEndpoint": info.s3.endpoint,
                "bucket": layout.BUCKET,
                "prefix": prefix(place),
                "credentials": {"name": layout.STORAGE_SECRET},
            },
        },
        "security": {
            "imageHosts": [_host(info, [servers.photos])],
            "callbackHosts": [_host(info, list(servers.receivers))],
        },
        "scaling": {"minReplicas": 0, "maxReplicas": 1, "idleSeconds": 2},
        "template": {"terminationGracePeriodSeconds": GRACE_SECONDS},
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": POOL, "namespace": place},
        "spec": merged(spec, changes),
    }


def task(task_id: str, *commands: str, **fields: JsonValue) -> JsonObject:
    """A task as generation producers send it; ``commands`` are the stand-in's, such as ``slow=5``."""
    orders = "".join(f" [standin:{command}]" for command in commands)
    return {
        "task_id": task_id,
        "prompt": f"a picture of {task_id}{orders}",
        "negative_prompt": "blurry, low quality",
        "width": 64,
        "height": 64,
        "steps": 20,
        "model": "realisticVisionV6",
        **fields,
    }


def queue_name(place: str) -> str:
    """The work queue of a scene."""
    return f"{place}.tasks"


def prefix(place: str) -> str:
    """The folder of a scene in the bucket."""
    return f"{FOLDER}{place}/"


def merged(base: JsonObject, changes: JsonObject) -> JsonObject:
    """``base`` with ``changes`` on top; objects are merged, None takes a field away. Pure."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(old, dict) and isinstance(value, dict):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def _resources(memory: str) -> JsonObject:
    """No GPU: these tests run many pods at the same time; the demo's pods ask for one."""
    return {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": memory}}


def _host(info: ClusterInfo, ports: list[int]) -> JsonObject:
    return {"host": info.host_address, "ports": [*ports], "cidrs": [f"{info.host_address}/32"]}
