"""GPUs that a node says it has without having any: the scheduler then places GPU pods on it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from genpool_dev.cluster.kube import Kube

GPU = "nvidia.com/gpu"


def ensure(kube: Kube, node: str, count: int) -> None:
    """Make the node's status say ``count`` GPUs; a kubelet that starts anew may have forgotten."""
    status = kube.get("node", node)["status"]
    wanted = str(count)
    if status["capacity"].get(GPU) == status["allocatable"].get(GPU) == wanted:
        return
    key = GPU.replace("/", "~1")
    patch = [
        {"op": "add", "path": f"/status/{field}/{key}", "value": wanted}
        for field in ("capacity", "allocatable")
    ]
    words = ("--subresource=status", "--type=json", f"--patch={json.dumps(patch)}")
    kube.run("patch", "node", node, *words)


def allocatable(nodes: Iterable[dict[str, Any]]) -> int:
    """Count the GPUs that pods can have on nodes, as kubectl tells them. Pure."""
    return sum(int(node.get("status", {}).get("allocatable", {}).get(GPU, 0)) for node in nodes)
