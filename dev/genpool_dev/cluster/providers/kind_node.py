"""The node of a kind cluster: what it is made with, and what is to be done with one that is there. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from genpool_dev.cluster.services import NODE_PORTS

CLUSTER = "genpool"
CONTEXT = f"kind-{CLUSTER}"
NAME = f"{CLUSTER}-control-plane"
"""Name of the container, and of the Kubernetes node that it is."""
DATA = Path("/var/lib/genpool-dev")
"""Where data lies in the container."""
HOST_PORTS = {"amqp": 27672, "management": 27673, "s3": 27900}
"""Ports of this machine: below the range of outgoing connections, and none that a RabbitMQ of this machine takes."""

RABBITMQ_IMAGE = "rabbitmq:4.3-management"
S3_IMAGE = "versity/versitygw:v1.8.0"

#: kubelet does not start on control groups of version 1 without it, from Kubernetes 1.35 on.
_KUBELET = "kind: KubeletConfiguration\nfailCgroupV1: false\n"
_IPV4 = 4

Action = Literal["create", "start", "unpause", "use"]


@dataclass(frozen=True)
class Node:
    """The container, as Docker tells of it."""

    status: str
    """``running``, ``exited``, ``paused``, ``created``, ``restarting``, ``removing`` or ``dead``."""
    ports: Mapping[int, int]
    """By port of the container: the port of this machine."""

    @property
    def runs(self) -> bool:
        """Whether its programs run."""
        return self.status == "running"

    @property
    def is_remainder(self) -> bool:
        """Whether it is no cluster any more, but a container that Docker did not delete to the end."""
        return self.status in {"dead", "removing"}

    @property
    def is_ours(self) -> bool:
        """Whether it has the ports of our servers, as no other kind cluster of this name would."""
        return set(NODE_PORTS.values()) <= set(self.ports)

    def host_ports(self) -> dict[str, int]:
        """Return the ports of this machine by server; those of an older version may differ from today's."""
        return {name: self.ports[port] for name, port in NODE_PORTS.items()}


def parse(inspected: Mapping[str, Any]) -> Node:
    """Read one object of ``docker container inspect``."""
    bindings = inspected["HostConfig"].get("PortBindings") or {}
    ports = {
        int(inside.partition("/")[0]): int(bound[0]["HostPort"])
        for inside, bound in bindings.items()
        if bound and bound[0].get("HostPort")
    }
    return Node(inspected["State"]["Status"], ports)


def action(node: Node | None) -> Action:
    """Choose what makes the node run. A stopped one is started: RabbitMQ's and S3's data are in it."""
    if node is None or node.is_remainder:
        return "create"
    if node.status == "paused":
        return "unpause"
    return "start" if node.status in {"created", "exited"} else "use"


def cluster_config() -> str:
    """Render kind's configuration: one node whose ports of the servers this machine has too."""
    mappings = [
        {"containerPort": NODE_PORTS[name], "hostPort": port, "listenAddress": "127.0.0.1"}
        for name, port in HOST_PORTS.items()
    ]
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "kubeadmConfigPatches": [_KUBELET],
        "nodes": [{"role": "control-plane", "extraPortMappings": mappings}],
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


def full_name(image: str) -> str:
    """Return an image's name as the node has it: Docker leaves out its own registry."""
    first, _, rest = image.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if rest else f"docker.io/library/{image}"


def to_load(wanted: Sequence[str], in_node: Collection[str]) -> list[str]:
    """Return the images that the node lacks, each once."""
    return [image for image in dict.fromkeys(wanted) if full_name(image) not in in_node]


def gateway_of(networks: list[dict[str, Any]]) -> str | None:
    """Return the IPv4 gateway in the answer of ``docker network inspect``: this machine, on Linux."""
    for network in networks:
        for block in network.get("IPAM", {}).get("Config") or []:
            gateway = block.get("Gateway", "")
            if gateway and ipaddress.ip_address(gateway).version == _IPV4:
                return str(gateway)
    return None
