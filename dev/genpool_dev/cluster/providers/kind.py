"""Kubernetes in a container of a Docker engine, by kind."""

from __future__ import annotations

import json
import platform
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import docker
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.node.runtime import superseded
from genpool_dev.cluster.providers import forwards, gpus, kind_node, tools
from genpool_dev.cluster.providers import kind_container as container
from genpool_dev.cluster.providers.base import Images
from genpool_dev.cluster.providers.kind_node import CLUSTER, CONTEXT, NAME, RABBITMQ_IMAGE, S3_IMAGE, Node
from genpool_dev.cluster.services import Endpoints, Shape, host_path
from genpool_dev.cluster.settings import ClusterSettings, ProviderName, state_home
from genpool_dev.interrupts import deaf
from genpool_dev.progress import Steps

__all__ = ["RABBITMQ_IMAGE", "S3_IMAGE", "KindProvider"]

_FILES = ("kubeconfig", "kind.yaml", "kind.log", "cluster.json")
_START_SECONDS = 120
"""How long a node that is started again has until Kubernetes answers."""


class KindProvider:
    """The provider ``kind``."""

    name: ProviderName = "kind"
    borrowed = False

    def __init__(self, settings: ClusterSettings, *, patience: float = 10) -> None:
        """``patience``: seconds until a node that runs and does not answer is restarted."""
        self._settings = settings
        self._patience = patience

    @property
    def state(self) -> Path:
        """The folder of the kubeconfig."""
        return state_home(self._settings, "kind")

    @property
    def _half_made(self) -> Path:
        """A file that is there from when a cluster begins to be made until it is whole."""
        return self.state / "half-made"

    def context(self) -> str:
        """Return the one context of its kubeconfig."""
        return CONTEXT

    def exists(self) -> bool:
        """Tell whether the node's container is there, running or stopped, ours and whole."""
        try:
            node = container.look()
        except ClusterError:
            return False
        if node is None or node.is_remainder or self._half_made.exists():
            return False
        return node.is_ours

    def check(self) -> None:
        """Refuse where no Docker engine answers or builds, the cluster is another's, or a port is taken."""
        if not shell.succeeds(["docker", "info"]):
            raise ClusterError(
                "PROVIDER=kind needs a Docker engine, and `docker info` fails: start Docker, or "
                "use PROVIDER=local on Linux."
            )
        docker.refuse_without_buildx()
        node = container.look()
        _refuse_another(node)
        if kind_node.action(node) == "create":
            _refuse_taken_ports(kind_node.HOST_PORTS)
        elif node is not None and not node.runs and not self._half_made.exists():
            _refuse_taken_ports(node.host_ports())

    def up(self, steps: Steps) -> tuple[Kube, Images]:
        """Build the images, make the cluster or start it again, and load the images."""
        self.state.mkdir(parents=True, exist_ok=True)
        kubectl, helm = tools.find("kubectl", steps), tools.find("helm", steps)
        kind = tools.find("kind", steps)
        kube = Kube(kubectl, helm, self.state / "kubeconfig", CONTEXT)
        components = docker.ensure_components(steps)
        self._ensure_node(kube, kind, steps)
        self._load(kind, components, steps)
        gpus.ensure(kube, NAME, self._settings.gpus)
        return kube, Images(components, RABBITMQ_IMAGE, S3_IMAGE)

    def _ensure_node(self, kube: Kube, kind: Path, steps: Steps) -> None:
        action = "create" if self._half_made.exists() else kind_node.action(container.look())
        if action == "create":
            self._create(kube, kind, steps)
        elif action == "use":
            self._ensure_kubeconfig(kube, kind)
            if not until(kube.answers, self._patience, 1):
                self._start_again("restart", kube, kind, steps)
        else:
            self._start_again(action, kube, kind, steps)

    def _start_again(self, word: str, kube: Kube, kind: Path, steps: Steps) -> None:
        with steps.step(f"kind cluster: docker {word}", "about 15 s"):
            shell.run(["docker", word, NAME])
            self._ensure_kubeconfig(kube, kind)
            if not until(kube.answers, _START_SECONDS, 1):
                raise ClusterError(
                    f"Kubernetes does not answer in the container {NAME} that was started again: `docker logs {NAME}` "
                    "says more. `make cluster-down` and `make cluster-up` make it anew; what is in RabbitMQ and S3 "
                    "goes with it."
                )

    def _ensure_kubeconfig(self, kube: Kube, kind: Path) -> None:
        if not kube.kubeconfig.exists():
            shell.run([kind, "export", "kubeconfig", "--name", CLUSTER, "--kubeconfig", kube.kubeconfig])

    def _create(self, kube: Kube, kind: Path, steps: Steps) -> None:
        named = ["--name", CLUSTER, "--kubeconfig", str(kube.kubeconfig)]
        config = self.state / "kind.yaml"
        config.write_text(kind_node.cluster_config())
        create = [str(kind), "create", "cluster", *named, "--config", str(config), "--wait", "120s"]
        if self._settings.kind_image:
            create += ["--image", self._settings.kind_image]
        with steps.step("kind cluster", "about 1 min"):
            container.delete(kind, kube.kubeconfig)
            kube.kubeconfig.unlink(missing_ok=True)
            self._half_made.touch()
            try:
                shell.run_logged(create, self.state / "kind.log", what="kind create cluster", anew=True)
            except BaseException:
                # The file stays, for a container that Docker makes later still: the next run deletes it.
                with deaf():
                    container.delete(kind, kube.kubeconfig)
                raise
            self._half_made.unlink()

    def _load(self, kind: Path, components: dict[str, str], steps: Steps) -> None:
        """Give the node the images that Docker has, and take away those of ours that Docker let go of."""
        present = container.images()
        missing = kind_node.to_load(list(components.values()), present)
        if missing:
            with steps.step(f"{len(missing)} images into the kind cluster"):
                container.load(kind, missing)
        for image in kind_node.to_load([RABBITMQ_IMAGE, S3_IMAGE], present):
            if docker.has(image):
                with steps.step(f"{image} into the kind cluster") as step:
                    try:
                        container.load(kind, [image])
                    except ClusterError:
                        # Some engines keep names of other platforms' images, too, and cannot hand over one alone.
                        step.result("the node pulls it itself")
        gone = superseded(present, {*components.values(), *docker.of_ours()})
        if gone:
            container.forget(gone)

    def shape(self, images: Images) -> Shape:
        """Return what the manifests need to know: data lies in the node's container."""
        volumes = {name: host_path(kind_node.DATA / name) for name in ("rabbitmq", "s3")}
        return Shape(images.rabbitmq, images.s3, volumes, node_ports=True)

    def endpoints(self, kube: Kube) -> Endpoints:  # noqa: ARG002 - the node's container has the ports
        """Return the ports of this machine that kind maps into the node."""
        node = container.look()
        ports = node.host_ports() if node is not None and node.is_ours else kind_node.HOST_PORTS
        urls = (f"http://127.0.0.1:{ports[name]}" for name in ("management", "s3"))
        return Endpoints("127.0.0.1", ports["amqp"], *urls)

    def host_address(self) -> str:
        """Return the gateway of kind's network on Linux; a name that Docker Desktop knows elsewhere."""
        if self._settings.host:
            return self._settings.host
        if platform.system() != "Linux":
            return "host.docker.internal"
        gateway = kind_node.gateway_of(json.loads(shell.run(["docker", "network", "inspect", "kind"])))
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
        try:
            node = container.look()
        except ClusterError:
            return [("Docker engine", "does not answer")]
        return [(f"container {NAME}", "runs" if node is not None and node.runs else "does not run")]

    def down(self, steps: Steps) -> None:
        """Delete the cluster if it is ours, and our files about it."""
        with steps.step("Deleting the kind cluster") as step:
            _refuse_another(container.look())
            if container.ids():
                container.delete(tools.find("kind", steps), self.state / "kubeconfig")
            else:
                step.result("there was none")
            for path in (*(self.state / name for name in _FILES), self._half_made):
                path.unlink(missing_ok=True)
            if self.state.is_dir() and not any(self.state.iterdir()):
                self.state.rmdir()


def _refuse_another(node: Node | None) -> None:
    if node is not None and not node.is_ours and not node.is_remainder:
        raise ClusterError(
            f"There is a kind cluster named {CLUSTER} that this command did not make (it lacks the ports of "
            f"RabbitMQ and S3), and it is left alone. If nobody needs it: `kind delete cluster --name {CLUSTER}`."
        )


def _refuse_taken_ports(ports: dict[str, int]) -> None:
    for name, port in ports.items():
        if forwards.is_open(port):
            raise ClusterError(
                f"Port {port} of this machine ({name} of the cluster) is taken by "
                f"another program: end it (`ss -ltnp sport = :{port}` names it)."
            )
