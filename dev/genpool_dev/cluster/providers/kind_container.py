"""The container that is the node of our kind cluster, and the images in it: what docker and kind do with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.providers import kind_node
from genpool_dev.cluster.providers.kind_node import CLUSTER, NAME, Node

_SECONDS = 30
_CTR = ("docker", "exec", NAME, "ctr", "--namespace", "k8s.io")


def ids() -> list[str]:
    """Return the id of the container, running or not, in a list that is empty where there is none."""
    listed = ["docker", "container", "ls", "--all", "--quiet", "--filter", f"name=^/?{NAME}$"]
    return shell.run(listed, timeout=_SECONDS).split()


def look() -> Node | None:
    """Return what Docker tells of the container; nothing where there is none."""
    found = ids()
    if not found:
        return None
    try:
        inspected = shell.run(["docker", "container", "inspect", *found], timeout=_SECONDS)
    except ClusterError:
        # Docker lists one that it was told to delete while it made it, and knows nothing of it any more.
        return Node("removing", {}) if ids() else None
    return kind_node.parse(json.loads(inspected)[0])


def delete(kind: Path, kubeconfig: Path) -> None:
    """Delete the cluster until it is gone: of a container that it still makes, Docker says so too early."""

    def gone() -> bool:
        shell.run([kind, "delete", "cluster", "--name", CLUSTER, "--kubeconfig", kubeconfig])
        return not ids()

    if not until(gone, _SECONDS, 0.5):
        raise ClusterError(f"The container {NAME} cannot be deleted: `docker rm --force {NAME}` says why.")


def images() -> set[str]:
    """Return the full names of the images in the node."""
    return set(shell.run([*_CTR, "images", "list", "--quiet"]).split())


def load(kind: Path, names: Sequence[str]) -> None:
    """Copy images from Docker into the node."""
    shell.run([kind, "load", "docker-image", "--name", CLUSTER, *names])


def forget(names: Sequence[str]) -> None:
    """Take images out of the node."""
    shell.run([*_CTR, "images", "remove", *names])
