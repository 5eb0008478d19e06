"""The cluster of the person's kubeconfig: nothing of it is started or stopped, only used."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from genpool_dev.cluster import handover, shell
from genpool_dev.cluster.artifacts import catalog, docker
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.providers import forwards, tools
from genpool_dev.cluster.providers.base import Images
from genpool_dev.cluster.providers.kind import RABBITMQ_IMAGE, S3_IMAGE
from genpool_dev.cluster.services import Endpoints, Shape
from genpool_dev.cluster.settings import ClusterSettings, ProviderName, state_home
from genpool_dev.progress import Steps


def pushed_names(names: dict[str, str], registry: str) -> dict[str, str]:
    """Return the names of images as ``registry`` has them."""
    return {
        component: name.replace(catalog.PREFIX, registry.rstrip("/"), 1) for component, name in names.items()
    }


class CurrentProvider:
    """The provider ``current``."""

    name: ProviderName = "current"

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings

    @property
    def state(self) -> Path:
        """The folder of a kubeconfig with the current context alone, and of the open ways."""
        return state_home(self._settings, "current")

    def check(self) -> None:
        """Refuse without kubectl, a context, or a way for images to the cluster."""
        if shutil.which("kubectl") is None:
            raise ClusterError("PROVIDER=current needs kubectl on the PATH: install it.")
        if not shell.succeeds(["kubectl", "config", "current-context"]):
            raise ClusterError("PROVIDER=current needs a current context: `kubectl config use-context NAME`.")
        if not self._settings.registry:
            raise ClusterError(
                "PROVIDER=current needs GENPOOL_DEV_REGISTRY: a registry (host/path) to which this "
                "machine pushes GenPool's images and from which the cluster pulls them."
            )
        if not shell.succeeds(["docker", "info"]):
            raise ClusterError(
                "PROVIDER=current builds and pushes images with Docker, and `docker info` fails: "
                "start Docker."
            )

    def up(self, steps: Steps) -> tuple[Kube, Images]:
        """Copy the current context into a kubeconfig of ours, and push the images."""
        self.state.mkdir(parents=True, exist_ok=True)
        kube = self._kube(steps)
        if not kube.answers():
            raise ClusterError(
                f"The cluster of the context {kube.context} does not answer: `kubectl cluster-info` says why."
            )
        built = docker.ensure_components(steps)
        pushed = pushed_names(built, self._settings.registry or "")
        for component, name in built.items():
            with steps.step(f"Pushing {pushed[component]}"):
                shell.run(["docker", "tag", name, pushed[component]])
                shell.run(["docker", "push", "--quiet", pushed[component]])
        return kube, Images(pushed, RABBITMQ_IMAGE, S3_IMAGE)

    def _kube(self, steps: Steps) -> Kube:
        kubeconfig = self.state / "kubeconfig"
        if not kubeconfig.exists():
            text = shell.run(["kubectl", "config", "view", "--minify", "--flatten", "--raw"])
            handover.write(kubeconfig, text)
        context = yaml.safe_load(kubeconfig.read_text())["current-context"]
        return Kube(tools.find("kubectl", steps), tools.find("helm", steps), kubeconfig, context)

    def shape(self, images: Images) -> Shape:
        """Return what the manifests need to know: data lies in claims of the default class."""
        volumes = {name: f"persistentVolumeClaim: {{claimName: {name}-data}}" for name in ("rabbitmq", "s3")}
        return Shape(images.rabbitmq, images.s3, volumes, claims=tuple(volumes))

    def endpoints(self, kube: Kube) -> Endpoints:
        """Return ports of this machine that kubectl forwards."""
        amqp = forwards.ensure(kube, self.state, "rabbitmq", 5672)
        management = forwards.ensure(kube, self.state, "rabbitmq", 15672)
        s3 = forwards.ensure(kube, self.state, "s3", 9000)
        return Endpoints("127.0.0.1", amqp, f"http://127.0.0.1:{management}", f"http://127.0.0.1:{s3}")

    def host_address(self) -> str:
        """Return this machine's address toward the cluster: right where pods can reach it."""
        if self._settings.host:
            return self._settings.host
        config = yaml.safe_load((self.state / "kubeconfig").read_text())
        server = urlsplit(config["clusters"][0]["cluster"]["server"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it only asks for the route.
            probe.connect((server.hostname or "127.0.0.1", server.port or 443))
            return str(probe.getsockname()[0])

    def s3_folder(self) -> Path | None:
        """Return nothing: the files lie in the cluster."""
        return None

    def status(self) -> list[tuple[str, str]]:
        """Return the ways that are open."""
        return forwards.status(self.state)

    def down(self, steps: Steps) -> None:
        """Take our namespace out of the cluster, and close the ways to it."""
        with steps.step(f"Deleting the namespace {NAMESPACE}"):
            forwards.close_all(self.state)
            if (self.state / "kubeconfig").exists():
                kube = self._kube(steps)
                words = ("--ignore-not-found", "--wait", "--timeout=120s")
                kube.run("delete", "namespace", NAMESPACE, *words, timeout=150)
            for name in ("kubeconfig", "cluster.json"):
                (self.state / name).unlink(missing_ok=True)
            if self.state.is_dir() and not any(self.state.iterdir()):
                self.state.rmdir()
