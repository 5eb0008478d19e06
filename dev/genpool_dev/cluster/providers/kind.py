"""Kubernetes in a container of a Docker engine, by kind."""

from __future__ import annotations

import ipaddress
import json
import platform
import socket
from pathlib import Path
from typing import Any

import yaml

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import docker
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.providers import gpus, tools
from genpool_dev.cluster.providers.base import Images
from genpool_dev.cluster.services import NODE_PORTS, Endpoints, Shape, host_path
from genpool_dev.cluster.settings import ClusterSettings, ProviderName, state_home
from genpool_dev.progress import Steps

CLUSTER = "genpool"
CONTEXT = f"kind-{CLUSTER}"
NODE = f"{CLUSTER}-control-plane"
INSIDE = Path("/var/lib/genpool-dev")
"""Where data lies in the node's container."""

HOST_PORTS = {"amqp": 25672, "management": 25673, "s3": 25900}
RABBITMQ_IMAGE = "rabbitmq:4.3-management"
S3_IMAGE = "versity/versitygw:v1.8.0"


def cluster_config() -> str:
    """Render kind's configuration: one node whose ports of the servers this machine has too."""
    mappings = [
        {"containerPort": NODE_PORTS[name], "hostPort": port, "listenAddress": "127.0.0.1"}
        for name, port in HOST_PORTS.items()
    ]
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "extraPortMappings": mappings}],
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


def gateway_of(networks: list[dict[str, Any]]) -> str | None:
    """Return the IPv4 gateway in the answer of ``docker network inspect``: this machine, on Linux."""
    for network in networks:
        for block in network.get("IPAM", {}).get("Config") or []:
            gateway = block.get("Gateway", "")
            if gateway and ipaddress.ip_address(gateway).version == 4:  # noqa: PLR2004 - IPv4
                return str(gateway)
    return None


class KindProvider:
    """The provider ``kind``."""

    name: ProviderName = "kind"
    borrowed = False

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings

    @property
    def state(self) -> Path:
        """The folder of the kubeconfig."""
        return state_home(self._settings, "kind")

    def context(self) -> str:
        """Return the one context of its kubeconfig."""
        return CONTEXT

    def exists(self) -> bool:
        """Tell whether the node's container is there, running or stopped."""
        return shell.succeeds(["docker", "container", "inspect", "--format", "{{.Id}}", NODE])

    def check(self) -> None:
        """Refuse where no Docker engine answers, or a port is taken by another program."""
        if not shell.succeeds(["docker", "info"]):
            raise ClusterError(
                "PROVIDER=kind needs a Docker engine, and `docker info` fails: start Docker, or "
                "use PROVIDER=local on Linux."
            )
        if not self._runs():
            for name, port in HOST_PORTS.items():
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        raise ClusterError(
                            f"Port {port} of this machine ({name} of the cluster) is taken by "
                            f"another program: end it (`ss -ltnp sport = :{port}` names it)."
                        )

    def up(self, steps: Steps) -> tuple[Kube, Images]:
        """Make the cluster if it is not there, and load the images."""
        self.state.mkdir(parents=True, exist_ok=True)
        kubectl, helm = tools.find("kubectl", steps), tools.find("helm", steps)
        kind = tools.find("kind", steps)
        kube = Kube(kubectl, helm, self.state / "kubeconfig", CONTEXT)
        if not (self._runs() and kube.kubeconfig.exists() and kube.answers()):
            config = self.state / "kind.yaml"
            config.write_text(cluster_config())
            with steps.step("kind cluster", "about 1 min"):
                log = self.state / "kind.log"
                named = ["--name", CLUSTER, "--kubeconfig", str(kube.kubeconfig)]
                shell.run([kind, "delete", "cluster", *named])
                create = [str(kind), "create", "cluster", *named, "--config", str(config), "--wait", "120s"]
                shell.run_logged(create, log, what="kind create cluster")
        images = docker.ensure_components(steps)
        self._load(kind, images, steps)
        gpus.ensure(kube, NODE, self._settings.gpus)
        return kube, Images(images, RABBITMQ_IMAGE, S3_IMAGE)

    def _load(self, kind: Path, images: dict[str, str], steps: Steps) -> None:
        listed = shell.run(["docker", "exec", NODE, "crictl", "images", "--output", "json"])
        present = {tag for each in json.loads(listed)["images"] for tag in each["repoTags"]}
        missing = sorted(set(images.values()) - present)
        if missing:
            with steps.step(f"{len(missing)} images into the kind cluster"):
                shell.run([kind, "load", "docker-image", "--name", CLUSTER, *missing])

    def _runs(self) -> bool:
        running = ["docker", "inspect", "--format", "{{.State.Running}}", NODE]
        try:
            return shell.run(running, timeout=15).strip() == "true"
        except ClusterError:
            return False

    def shape(self, images: Images) -> Shape:
        """Return what the manifests need to know: data lies in the node's container."""
        volumes = {name: host_path(INSIDE / name) for name in ("rabbitmq", "s3")}
        return Shape(images.rabbitmq, images.s3, volumes, node_ports=True)

    def endpoints(self, kube: Kube) -> Endpoints:  # noqa: ARG002 - the ports are fixed here
        """Return the ports of this machine that kind maps into the node."""
        amqp, management, s3 = (HOST_PORTS[name] for name in ("amqp", "management", "s3"))
        return Endpoints("127.0.0.1", amqp, f"http://127.0.0.1:{management}", f"http://127.0.0.1:{s3}")

    def host_address(self) -> str:
        """Return the gateway of kind's network on Linux; a name that Docker Desktop knows elsewhere."""
        if self._settings.host:
            return self._settings.host
        if platform.system() != "Linux":
            return "host.docker.internal"
        gateway = gateway_of(json.loads(shell.run(["docker", "network", "inspect", "kind"])))
        if gateway is None:
            raise ClusterError(
                "The Docker network kind has no IPv4 gateway: set GENPOOL_DEV_HOST to the address "
                "by which pods reach this machine."
            )
        return gateway

    def s3_folder(self) -> Path | None:
        """Return nothing: the files lie in the node's container."""
        return None

    def status(self) -> list[tuple[str, str]]:
        """Return whether the node's container runs."""
        return [(f"container {NODE}", "runs" if self._runs() else "does not run")]

    def down(self, steps: Steps) -> None:
        """Delete the cluster, and our files about it."""
        with steps.step("Deleting the kind cluster"):
            kind = tools.find("kind", steps)
            kubeconfig = ["--kubeconfig", str(self.state / "kubeconfig")]
            shell.run([kind, "delete", "cluster", "--name", CLUSTER, *kubeconfig])
            for name in ("kubeconfig", "kind.yaml", "kind.log", "cluster.json"):
                (self.state / name).unlink(missing_ok=True)
            if self.state.is_dir() and not any(self.state.iterdir()):
                self.state.rmdir()
