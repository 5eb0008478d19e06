"""A cluster as a person may have one: of the local provider, beside the one that developers use, without GenPool."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from genpool_dev.cluster import handover
from genpool_dev.cluster.addresses import divide
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.node.config import NODE_NAME
from genpool_dev.cluster.node.places import Places
from genpool_dev.cluster.providers.currentcheck import DEFAULT_CLASS
from genpool_dev.cluster.providers.local import LocalProvider
from genpool_dev.cluster.settings import ClusterSettings, cache_home, state_home
from genpool_dev.currenttest import registry
from genpool_dev.interrupts import deaf
from genpool_dev.progress import Steps

CONTEXT = "yours"
NETNS = "gpyours"
SUBNET = IPv4Network("10.214.0.0/16")
VOLUMES = 12


@dataclass(frozen=True)
class Yours:
    """That cluster while it runs."""

    kube: Kube
    """Under the context that its owner has."""
    registry: str
    """Host and path, for images that it pulls."""
    folder: Path
    """Of its state; goes with it."""
    provider: LocalProvider
    steps: Steps

    @contextmanager
    def off(self) -> Iterator[None]:
        """Within the block it does not run; afterwards it has what it had."""
        with self.steps.step("Switching that cluster off"):
            self.provider.stop()
        try:
            yield
        finally:
            self.provider.up(self.steps)

    def renew_volumes(self) -> None:
        """Make the volumes that a claim has used free again, with nothing on them."""
        self.kube.run("delete", "pv", "--selector=owner=yours", "--timeout=60s", timeout=70)
        shutil.rmtree(self.folder / "data" / "volumes", ignore_errors=True)
        self._make_volumes()

    def _make_volumes(self) -> None:
        folders = [self.folder / "data" / "volumes" / str(number) for number in range(VOLUMES)]
        for folder in folders:
            folder.mkdir(parents=True)
        self.kube.apply(yaml.safe_dump_all([storage_class(), *map(volume, folders)]))


@contextmanager
def running(steps: Steps) -> Iterator[Yours]:
    """Run it as long as the block lasts, with a registry that it pulls from."""
    settings = ClusterSettings(netns=NETNS, subnet=SUBNET, gpus=0, state=None)
    provider = LocalProvider(settings)
    state = state_home(settings, "local")
    provider.check()
    try:
        kube, _ = provider.up(steps)
        with registry.running(str(divide(SUBNET).host), steps) as host:
            trust(Places(state, state), host)
            own = state / "yours.kubeconfig"
            handover.write(own, renamed(kube.kubeconfig.read_text(), CONTEXT))
            yours = Yours(Kube(kube.kubectl, kube.helm, own, CONTEXT), f"{host}/team", state, provider, steps)
            yours.renew_volumes()
            yield yours
    finally:
        with deaf():
            provider.down(steps)
            shutil.rmtree(cache_home() / "nodes" / NETNS, ignore_errors=True)


def trust(places: Places, host: str) -> None:
    """Let the node pull from a registry over plain HTTP: containerd reads this at each pull."""
    folder = places.registries / host
    folder.mkdir(parents=True, exist_ok=True)
    pulls = 'capabilities = ["pull", "resolve"]'
    (folder / "hosts.toml").write_text(f'server = "http://{host}"\n[host."http://{host}"]\n  {pulls}\n')


def renamed(kubeconfig: str, context: str) -> str:
    """Return a kubeconfig with its one context under another name. Pure."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig)
    config["contexts"][0]["name"] = config["current-context"] = context
    return yaml.safe_dump(config, sort_keys=False)


def storage_class() -> dict[str, Any]:
    """Return the default class, whose volumes are made by hand. Pure."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "disks", "annotations": {DEFAULT_CLASS[0]: "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(folder: Path) -> dict[str, Any]:
    """Return a volume of the class: a folder of the node. Pure."""
    node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"disk-{folder.name}", "labels": {"owner": "yours"}},
        "spec": {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "disks",
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
        },
    }
