"""The programs of the node: how each is started, and how it is known to work. A table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster.addresses import Addresses
from genpool_dev.cluster.node.config import API_PORT, NODE_NAME
from genpool_dev.cluster.node.places import Places


@dataclass(frozen=True)
class Daemon:
    """One program of the node."""

    name: str
    command: tuple[str, ...]
    health: str = ""
    """An address that answers 200 when it works, reached from this machine; or none."""
    patience: float = 60
    """Seconds that it may take to start."""


@dataclass(frozen=True)
class Binaries:
    """The programs that were built, by path."""

    kube: Path
    coredns: Path


def containerd(places: Places) -> Daemon:
    """Return the container runtime; what asks it lives inside the node only."""
    return Daemon("containerd", ("containerd", "--config", str(places.config / "containerd.toml")))


def etcd(places: Places, binaries: Binaries) -> Daemon:
    """Return Kubernetes' store. Without fsync: what it holds does not outlive the machine's uptime."""
    return Daemon(
        "etcd",
        (
            str(binaries.kube), "etcd", f"--data-dir={places.etcd}", "--unsafe-no-fsync",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380", "--log-level=warn",
        ),
    )  # fmt: skip


def apiserver(places: Places, plan: Addresses, binaries: Binaries) -> Daemon:
    """Return the API server."""
    config = places.config
    return Daemon(
        "kube-apiserver",
        (
            str(binaries.kube), "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={plan.node}", f"--bind-address={plan.node}",
            f"--secure-port={API_PORT}", f"--cert-dir={config / 'apiserver'}",
            f"--service-cluster-ip-range={plan.services}",
            f"--token-auth-file={config / 'tokens.csv'}", "--authorization-mode=Node,RBAC",
            f"--service-account-key-file={config / 'service-accounts.key'}",
            f"--service-account-signing-key-file={config / 'service-accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--kubelet-client-certificate={config / 'kubelet-client.crt'}",
            f"--kubelet-client-key={config / 'kubelet-client.key'}",
            "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
            "--profiling=false", "--kubelet-preferred-address-types=InternalIP",
        ),
        health=f"https://{plan.node}:{API_PORT}/readyz",
        patience=120,
    )  # fmt: skip


def followers(places: Places, plan: Addresses, binaries: Binaries) -> tuple[Daemon, ...]:
    """Return the programs that work by the API server; they start together."""
    config, kube = places.config, str(binaries.kube)
    return (
        Daemon(
            "kube-controller-manager",
            (
                kube, "kube-controller-manager", "--leader-elect=false",
                f"--kubeconfig={config / 'controller-manager.kubeconfig'}",
                f"--authentication-kubeconfig={config / 'controller-manager.kubeconfig'}",
                f"--authorization-kubeconfig={config / 'controller-manager.kubeconfig'}",
                f"--bind-address={plan.node}", "--use-service-account-credentials=true",
                f"--service-account-private-key-file={config / 'service-accounts.key'}",
                f"--root-ca-file={config / 'apiserver' / 'apiserver.crt'}", "--profiling=false",
            ),
            health=f"https://{plan.node}:10257/healthz",
        ),
        Daemon(
            "kube-scheduler",
            (
                kube, "kube-scheduler", "--leader-elect=false", f"--bind-address={plan.node}",
                f"--kubeconfig={config / 'scheduler.kubeconfig'}",
                f"--authentication-kubeconfig={config / 'scheduler.kubeconfig'}",
                f"--authorization-kubeconfig={config / 'scheduler.kubeconfig'}",
            ),
            health=f"https://{plan.node}:10259/healthz",
        ),
        Daemon(
            "kubelet",
            (
                kube, "kubelet", f"--config={config / 'kubelet.yaml'}",
                f"--kubeconfig={config / 'kubelet.kubeconfig'}", "--root-dir=/var/lib/kubelet",
                f"--hostname-override={NODE_NAME}", f"--node-ip={plan.node}",
            ),
            health=f"http://{plan.node}:10248/healthz",
        ),
        Daemon(
            "kube-proxy",
            (kube, "kube-proxy", f"--config={config / 'kube-proxy.yaml'}"),
            health=f"http://{plan.node}:10256/healthz",
        ),
        Daemon(
            "coredns",
            (str(binaries.coredns), "-conf", str(config / "Corefile")),
            health=f"http://{plan.node}:8080/health",
        ),
    )  # fmt: skip
