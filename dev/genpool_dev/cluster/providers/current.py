"""The cluster of the person's kubeconfig: nothing of it is started or stopped, only used."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import yaml

from genpool_dev.cluster import handover, shell
from genpool_dev.cluster.artifacts import registry
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.providers import currentcheck, forwards, record, tools
from genpool_dev.cluster.providers.base import Images
from genpool_dev.cluster.providers.kind import RABBITMQ_IMAGE, S3_IMAGE
from genpool_dev.cluster.providers.record import Record
from genpool_dev.cluster.services import Endpoints, Shape
from genpool_dev.cluster.settings import ClusterSettings, ProviderName, state_home
from genpool_dev.progress import Steps

PUBLIC = {"rabbitmq": RABBITMQ_IMAGE, "s3": S3_IMAGE}


class CurrentProvider:
    """The provider ``current``."""

    name: ProviderName = "current"
    borrowed = True

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings

    @property
    def state(self) -> Path:
        """The folder of a kubeconfig with the current context alone, of the record and of the open ways."""
        return state_home(self._settings, "current")

    @property
    def _kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    def context(self) -> str:
        """Return the current context of the person's kubeconfig."""
        return str(_of_person()["current-context"])

    def exists(self) -> bool:
        """Tell whether RabbitMQ and S3 were put on the cluster of the current context, and are there."""
        made = record.load(self.state)
        if made is None or (made.context, made.server) != _target(_of_person()):
            return False
        return self._ours(made)

    def check(self) -> None:
        """Refuse without a way for images to the cluster, an address for pods, or a place for data."""
        if not self._settings.registry:
            raise ClusterError(
                "PROVIDER=current needs GENPOOL_DEV_REGISTRY: a registry (host/path) to which this machine pushes "
                "images and from which the cluster pulls them."
            )
        person = _of_person()
        context, server = _target(person)
        address = self._settings.host or _address_toward(server)
        told = currentcheck.address_refusal(address, server) or registry.refusal()
        if told is not None:
            raise ClusterError(told)
        self._leave_other(context, server)
        with TemporaryDirectory() as folder:
            told = currentcheck.refusal(self._facts(_kube(_write(Path(folder), person), Steps())))
        if told is not None:
            raise ClusterError(told)

    def _facts(self, kube: Kube) -> currentcheck.Facts:
        if not kube.answers():
            raise ClusterError(
                f"The cluster of the context {kube.context} does not answer: `kubectl cluster-info` says why."
            )
        classes = tuple(kube.get("storageclasses")["items"])
        namespace = kube.find("namespace", NAMESPACE)
        return currentcheck.Facts(kube.context, classes, namespace, record.load(self.state))

    def _leave_other(self, context: str, server: str) -> None:
        """Forget a cluster of before that is gone; refuse while there are still our things on one that is there."""
        made = record.load(self.state)
        if made is None or (made.context, made.server) == (context, server):
            return
        if self._ours(made):
            raise ClusterError(
                f"What was put on the cluster of the context {made.context} ({made.server}) is still there, and the "
                f"current context is {context} ({server}): `make cluster-down PROVIDER=current` takes it away first. "
                f"Or go back: `kubectl config use-context {made.context}`."
            )
        self._forget()

    def _ours(self, made: Record) -> bool:
        """Tell whether what a record tells of can be seen on its cluster."""
        if not self._kubeconfig.exists():
            return False
        kube = _kube(self._kubeconfig, Steps())
        found = kube.find("namespace", NAMESPACE) if kube.answers() else None
        return found is not None and currentcheck.is_ours(found, made)

    def up(self, steps: Steps) -> tuple[Kube, Images]:
        """Push the images, and write down on which cluster they will be used."""
        person = _of_person()
        self.state.mkdir(parents=True, exist_ok=True)
        # Each time: the person's may have newer credentials than the copy of before.
        kube = _kube(_write(self.state, person), steps)
        insecure = self._settings.registry_insecure
        pushed = registry.publish(self._settings.registry or "", PUBLIC, steps, insecure=insecure)
        record.ensure(self.state, *_target(person))
        components = {name: image for name, image in pushed.items() if name not in PUBLIC}
        return kube, Images(components, pushed["rabbitmq"], pushed["s3"])

    def shape(self, images: Images) -> Shape:
        """Return what the manifests need to know: data lies in claims of the default class."""
        volumes = {name: f"persistentVolumeClaim: {{claimName: {name}-data}}" for name in ("rabbitmq", "s3")}
        made = record.load(self.state)
        labels = made.labels if made is not None else {}
        return Shape(images.rabbitmq, images.s3, volumes, claims=tuple(volumes), labels=labels)

    def endpoints(self, kube: Kube) -> Endpoints:
        """Return ports of this machine that kubectl forwards."""
        amqp = forwards.ensure(kube, self.state, "rabbitmq", 5672)
        management = forwards.ensure(kube, self.state, "rabbitmq", 15672)
        s3 = forwards.ensure(kube, self.state, "s3", 9000)
        return Endpoints("127.0.0.1", amqp, f"http://127.0.0.1:{management}", f"http://127.0.0.1:{s3}")

    def host_address(self) -> str:
        """Return this machine's address toward the cluster: right where pods can reach it."""
        return self._settings.host or _address_toward(_target(_of_person())[1])

    def s3_folder(self) -> Path | None:
        """Return nothing: the files lie in the cluster."""
        return None

    def status(self) -> list[tuple[str, str]]:
        """Return the ways that are open."""
        return forwards.status(self.state)

    def down(self, steps: Steps) -> None:
        """Take what was put there off the cluster, and close the ways to it. A cluster that is gone is forgotten."""
        forwards.close_all(self.state)
        made = record.load(self.state)
        if made is not None and self._kubeconfig.exists():
            self._renew(made)
            kube = _kube(self._kubeconfig, steps)
            if kube.answers():
                self._delete(kube, made, steps)
            else:
                steps.say(
                    f"The cluster of the context {made.context} ({made.server}) does not answer, and is forgotten. "
                    f"If it comes back: `kubectl --context={made.context} delete namespace {NAMESPACE}`."
                )
        self._forget()

    def _renew(self, made: Record) -> None:
        """Take newer credentials from the person's kubeconfig, where it still has that context of that cluster."""
        try:
            person = _of_person(made.context)
        except ClusterError:
            return
        if _target(person) == (made.context, made.server):
            _write(self.state, person)

    def _delete(self, kube: Kube, made: Record, steps: Steps) -> None:
        found = kube.find("namespace", NAMESPACE)
        if found is None:
            return
        if not currentcheck.is_ours(found, made):
            steps.say(
                f"The namespace {NAMESPACE} on {made.context} was made by somebody else by now: it stays."
            )
            return
        with steps.step(f"Deleting the namespace {NAMESPACE} on {made.context}"):
            words = ("--ignore-not-found", "--wait", "--timeout=120s")
            kube.run("delete", "namespace", NAMESPACE, *words, timeout=150)

    def _forget(self) -> None:
        forwards.close_all(self.state)
        for name in ("kubeconfig", "cluster.json", record.FILE):
            (self.state / name).unlink(missing_ok=True)
        if self.state.is_dir() and not any(self.state.iterdir()):
            self.state.rmdir()


def _of_person(context: str | None = None) -> dict[str, Any]:
    """Return one context of the person's kubeconfig (the current one), alone and with all that it needs."""
    if shutil.which("kubectl") is None:
        raise ClusterError("PROVIDER=current needs kubectl on the PATH: install it.")
    words = ["kubectl", "config", "view", "--minify", "--flatten", "--raw", "--output=json"]
    if context is not None:
        words.append(f"--context={context}")
    try:
        found: dict[str, Any] = json.loads(shell.run(words, timeout=30))
    except ClusterError as error:
        raise ClusterError(
            "PROVIDER=current needs a current context: `kubectl config use-context NAME`."
        ) from error
    if not found.get("current-context") or not found.get("clusters"):
        raise ClusterError("PROVIDER=current needs a current context: `kubectl config use-context NAME`.")
    return found


def _write(folder: Path, kubeconfig: dict[str, Any]) -> Path:
    path = folder / "kubeconfig"
    handover.write(path, yaml.safe_dump(kubeconfig, sort_keys=False))
    return path


def _kube(kubeconfig: Path, steps: Steps) -> Kube:
    context = yaml.safe_load(kubeconfig.read_text())["current-context"]
    return Kube(tools.find("kubectl", steps), tools.find("helm", steps), kubeconfig, context)


def _target(kubeconfig: dict[str, Any]) -> tuple[str, str]:
    """Return the context and the API server of a kubeconfig with one context."""
    return str(kubeconfig["current-context"]), str(kubeconfig["clusters"][0]["cluster"]["server"])


def _address_toward(server: str) -> str:
    """Return the address from which this machine talks to an API server."""
    parts = urlsplit(server)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_DGRAM)
        family, _, _, _, address = found[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it only asks for the route.
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        raise ClusterError(
            f"This machine has no way to the API server {server} ({error}): set GENPOOL_DEV_HOST to an address of "
            "this machine that pods reach, or look at your kubeconfig."
        ) from error
