"""RabbitMQ and S3 in the cluster: manifests, secrets, and waiting until they serve."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import requests
import yaml

from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.node.health import until
from genpool_dev.progress import Steps

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
HTTP_OK = 200
ROLLOUT_TIMEOUT = 300
S3_HEALTH = "/_health"
"""A path that no bucket can have; dev/manifests/s3.yaml asks for it."""

NODE_PORTS = {"amqp": 30672, "management": 31672, "s3": 30900}
"""Ports of the nodes where the provider needs them (kind maps them to this machine)."""


@dataclass(frozen=True)
class Shape:
    """What differs between providers in the manifests."""

    rabbitmq_image: str
    s3_image: str
    volumes: Mapping[str, str]
    """By ``rabbitmq`` and ``s3``: the volume's source, as YAML in one line."""
    node_ports: bool = False
    claims: tuple[str, ...] = ()
    """Servers whose data needs a PersistentVolumeClaim of the default storage class."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels of the namespace."""


@dataclass(frozen=True)
class Credentials:
    """User and password of one server, as its Secret has them."""

    user: str
    secret: str


@dataclass(frozen=True)
class Endpoints:
    """How this machine reaches the servers."""

    amqp_host: str
    amqp_port: int
    management_url: str
    s3_url: str


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill the places of a manifest; raises :class:`KeyError` for one without a value."""
    return Template(template).substitute(values)


def values_of(shape: Shape) -> dict[str, str]:
    """Return the values for the manifests' places."""
    ports = {
        f"{name}_node_port": f", nodePort: {port}" if shape.node_ports else ""
        for name, port in NODE_PORTS.items()
    }
    return {
        "namespace": NAMESPACE,
        "service_type": "NodePort" if shape.node_ports else "ClusterIP",
        "rabbitmq_image": shape.rabbitmq_image,
        "s3_image": shape.s3_image,
        "rabbitmq_volume": shape.volumes["rabbitmq"],
        "s3_volume": shape.volumes["s3"],
        **ports,
    }


def host_path(path: Path) -> str:
    """Return the volume source of a folder of the node."""
    return f'hostPath: {{path: "{path}", type: DirectoryOrCreate}}'


def manifests(shape: Shape) -> str:
    """Render both servers' manifests."""
    values = values_of(shape)
    texts = [(MANIFESTS / f"{name}.yaml").read_text() for name in ("rabbitmq", "s3")]
    claims = [claim(name) for name in shape.claims]
    return "\n---\n".join([*claims, *(render(text, values) for text in texts)])


def claim(name: str) -> str:
    """Render the claim for a server's data."""
    return document(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"{name}-data", "namespace": NAMESPACE},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "5Gi"}},
            },
        }
    )


def document(manifest: Mapping[str, Any]) -> str:
    """Render one manifest as YAML: kubectl before 1.33 takes no JSON between documents of YAML."""
    text: str = yaml.safe_dump(dict(manifest), sort_keys=False)
    return text


def ensure_secret(kube: Kube, name: str, keys: tuple[str, str], user: str) -> Credentials:
    """Return the credentials in a Secret of our namespace, made once if they are not there."""
    found = kube.find("secret", name, "--namespace", NAMESPACE)
    if found is not None:
        data = [base64.b64decode(found["data"][key]).decode() for key in keys]
        return Credentials(*data)
    made = Credentials(user, secrets.token_urlsafe(24))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": dict(zip(keys, (made.user, made.secret), strict=True)),
    }
    kube.apply(document(secret))
    return made


def ensure_namespace(kube: Kube, more: Mapping[str, str]) -> None:
    """Make our namespace, with ``more`` labels."""
    labels = {"app.kubernetes.io/part-of": "genpool-dev", **more}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    }
    kube.apply(document(namespace))


def ensure(kube: Kube, shape: Shape) -> tuple[Credentials, Credentials]:
    """Apply both servers; returns the credentials of RabbitMQ and of S3."""
    ensure_namespace(kube, shape.labels)
    rabbitmq = ensure_secret(kube, "rabbitmq-admin", ("username", "password"), "genpool-admin")
    s3_keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    s3 = ensure_secret(kube, "s3-credentials", s3_keys, f"genpool{secrets.token_hex(4)}")
    kube.apply(manifests(shape))
    return rabbitmq, s3


def wait_rollout(kube: Kube, steps: Steps) -> None:
    """Wait until the pods of both servers are ready."""
    for name in ("s3", "rabbitmq"):
        with steps.step(f"{name} in the cluster", "a few seconds"):
            try:
                kube.run(
                    "rollout", "status", f"statefulset/{name}", "--namespace", NAMESPACE,
                    f"--timeout={ROLLOUT_TIMEOUT}s", timeout=ROLLOUT_TIMEOUT + 10,
                )  # fmt: skip
            except ClusterError as error:
                seen = describe(kube, name)
                raise ClusterError(f"{name} did not get ready in the cluster.\n{seen}") from error


def describe(kube: Kube, name: str) -> str:
    """Return what kubectl knows of a server's pod: its state and the end of its log."""
    pod = f"{name}-0"
    parts = []
    for words in (
        ("get", "pod", pod, "--output=wide"),
        ("get", "events", f"--field-selector=involvedObject.name={pod}"),
        ("logs", pod, "--tail=20"),
    ):
        try:
            parts.append(kube.run(*words, "--namespace", NAMESPACE, timeout=20))
        except ClusterError as error:
            parts.append(error.message)
    return "\n".join(parts)


def wait_reachable(endpoints: Endpoints, rabbitmq: Credentials) -> None:
    """Wait until both servers answer this machine, RabbitMQ to its administrator."""
    session = requests.Session()
    session.trust_env = False  # no proxy stands between this machine and its own cluster

    def status(url: str, auth: tuple[str, str] | None = None) -> int:
        try:
            return session.get(url, auth=auth, timeout=3).status_code
        except requests.RequestException:
            return 0

    login = (rabbitmq.user, rabbitmq.secret)
    overview = f"{endpoints.management_url}/api/overview"
    checks = {
        overview: lambda: status(overview, login) == HTTP_OK,
        endpoints.s3_url: lambda: status(f"{endpoints.s3_url}{S3_HEALTH}") == HTTP_OK,
    }
    with session:
        for url, check in checks.items():
            if not until(check, 60, 0.2):
                raise ClusterError(
                    f"{url} does not answer this machine (HTTP status {status(url, login)}), "
                    "although its pod is ready: look for a firewall between them."
                )
