"""What every provider can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.services import Endpoints, Shape
from genpool_dev.cluster.settings import ProviderName
from genpool_dev.progress import Steps


@dataclass(frozen=True)
class Images:
    """Full names of images that the cluster has."""

    components: dict[str, str]
    """operator, worker, gateway, comfyui-standin."""
    rabbitmq: str
    s3: str


class Provider(Protocol):
    """A way to get a Kubernetes. Every method may be called again at any time."""

    name: ProviderName
    borrowed: bool
    """The cluster is somebody's own: ``down`` leaves it there, so what was put on it has to be taken off it."""

    @property
    def state(self) -> Path:
        """The folder of kubeconfig, logs and data."""
        ...

    def context(self) -> str:
        """Return the name of the context that :meth:`up` works on; changes nothing."""
        ...

    def exists(self) -> bool:
        """Tell whether a cluster that :meth:`up` made is there, working or not; changes nothing."""
        ...

    def check(self) -> None:
        """Raise :class:`ClusterError` with one sentence where this machine cannot do it."""
        ...

    def up(self, steps: Steps) -> tuple[Kube, Images]:
        """Start the cluster, or mend what is dead in it, with the images of the checkout in it."""
        ...

    def shape(self, images: Images) -> Shape:
        """Return what the manifests of RabbitMQ and S3 need to know."""
        ...

    def endpoints(self, kube: Kube) -> Endpoints:
        """Return how this machine reaches RabbitMQ and S3, opening the way where that is needed."""
        ...

    def host_address(self) -> str:
        """Return the address by which pods reach this machine."""
        ...

    def s3_folder(self) -> Path | None:
        """Return where the files of S3 lie on this machine, if they do."""
        ...

    def status(self) -> list[tuple[str, str]]:
        """Return lines about the parts: name, and whether it works."""
        ...

    def down(self, steps: Steps) -> None:
        """Stop the cluster and take away everything it made; raises for what is left."""
        ...
