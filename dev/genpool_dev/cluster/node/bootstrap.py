"""From whatever there is to a node that works: each part is looked at, and started where it is dead."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from genpool_dev.cluster import handover, preflight, services
from genpool_dev.cluster.addresses import Addresses
from genpool_dev.cluster.artifacts import golang, hashing
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.node import cgroups, cleaning, config, daemons, network, pki
from genpool_dev.cluster.node.daemons import Binaries, Daemon
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.node.machine import Machine
from genpool_dev.cluster.node.places import Places
from genpool_dev.cluster.node.runtime import Runtime
from genpool_dev.cluster.providers import gpus
from genpool_dev.cluster.settings import ClusterSettings, cache_home
from genpool_dev.progress import Steps


class Bootstrap:
    """Makes and mends the node."""

    def __init__(self, places: Places, settings: ClusterSettings, plan: Addresses) -> None:
        self._places = places
        self._settings = settings
        self._plan = plan
        self.machine = Machine(places, settings.netns)
        self._runtime = Runtime(places, self.machine)

    def ensure(self, kube: Kube, pause: str, images: Sequence[str], steps: Steps) -> None:
        """Bring the node up. ``images`` are the full names of what its containerd must have."""
        binaries = Binaries(golang.path_of("kube"), golang.path_of("coredns"))
        self._ensure_namespaces(steps)
        with ThreadPoolExecutor(max_workers=1) as pool:
            with steps.step("containerd"):
                self._ensure_containerd(pause)
            imported = pool.submit(self._runtime.ensure_images, images, steps)
            self._ensure_control_plane(binaries, steps)
            self._ensure_followers(kube, binaries, steps)
            imported.result()

    def _ensure_namespaces(self, steps: Steps) -> None:
        netns = self._settings.netns
        whole = (
            self.machine.holder() is not None
            and network.inode(netns) is not None
            and network.has_link(netns)
            and self._key_file("node").exists()
            and self._key_file("node").read_text() == self._node_key()
        )
        if whole:
            return
        with steps.step("Node: namespaces and network") as step:
            if cleaning.clean(self._places, netns, (cache_home(), self._places.state)):
                step.result("after taking away what a killed run left")
            network.create(netns, self._plan)
            cgroups.create(netns)
            self.machine.start(golang.path_of("pause"))
            self._key_file("node").write_text(self._node_key())

    def _node_key(self) -> str:
        return f"{self._settings.netns} {self._plan.subnet} {self._places.containerd}"

    def _key_file(self, name: str) -> Path:
        return self._places.run / f"{name}.key"

    def _ensure_containerd(self, pause: str) -> None:
        overlay = preflight.has_overlay(self._places.containerd)
        text = config.containerd(self._places, pause, "overlayfs" if overlay else "native")
        self._write("containerd.toml", text)
        (self._places.config / "cni").mkdir(exist_ok=True)
        self._write("cni/10-genpool.conflist", config.cni(self._places, self._plan))
        daemon = daemons.containerd(self._places)
        works = self.machine.is_running(daemon.name) and self._runtime.answers()
        if not works or self._changed(daemon):
            self._runtime.start(daemon)
            self._remember(daemon)

    def _ensure_control_plane(self, binaries: Binaries, steps: Steps) -> None:
        tokens = pki.ensure(self._places)
        self._write("tokens.csv", config.token_file(tokens))
        etcd = daemons.etcd(self._places, binaries)
        apiserver = daemons.apiserver(self._places, self._plan, binaries)
        with steps.step("Kubernetes API server"):
            if not self.machine.is_running(etcd.name) or self._changed(etcd):
                self._launch(etcd)
            if not self.machine.works(apiserver) or self._changed(apiserver):
                self._launch(apiserver)
                self.machine.wait_healthy(apiserver)
        authority = (self._places.config / "apiserver/apiserver.crt").read_bytes()
        for user, token in tokens.items():
            text = config.kubeconfig(self._plan, authority, user, token)
            self._write(f"{user}.kubeconfig", text)
        admin = config.kubeconfig(self._plan, authority, "admin", tokens["admin"])
        handover.write(self._places.kubeconfig, admin)

    def _ensure_followers(self, kube: Kube, binaries: Binaries, steps: Steps) -> None:
        self._write("kubelet.yaml", config.kubelet(self._places, self._plan, self._settings.netns))
        self._write("kube-proxy.yaml", config.kube_proxy(self._places, self._plan))
        self._write("Corefile", config.corefile(self._places, self._plan))
        with steps.step("Kubernetes node and DNS"):
            dns = (services.MANIFESTS / "dns.yaml").read_text()
            addresses = {
                "dns_address": str(self._plan.dns_service), "node_address": str(self._plan.node)
            }  # fmt: skip
            kube.apply(services.render(dns, addresses))
            started = daemons.followers(self._places, self._plan, binaries)
            for daemon in started:
                if not self.machine.works(daemon) or self._changed(daemon):
                    self._launch(daemon)
            for daemon in started:
                self.machine.wait_healthy(daemon)
            if not until(lambda: self._node_is_ready(kube), 60, 0.3):
                log = self._places.log("kubelet")
                raise ClusterError("The node did not get Ready within 60 s.", log=log)
            gpus.ensure(kube, config.NODE_NAME, self._settings.gpus)

    def _node_is_ready(self, kube: Kube) -> bool:
        node = kube.find("node", config.NODE_NAME)
        conditions: list[dict[str, Any]] = node["status"].get("conditions", []) if node else []
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _write(self, name: str, text: str) -> None:
        path = self._places.config / name
        path.write_text(text)

    def _daemon_key(self, daemon: Daemon) -> str:
        """Return a hash of a program's command and of the files that it is told to read."""
        named = [word.rpartition("=")[2] for word in daemon.command]
        below = [Path(word) for word in named if word.startswith(f"{self._places.config}/")]
        files = [(str(path), path.read_bytes()) for path in below if path.is_file()]
        return hashing.key([*files, ("command", "\0".join(daemon.command).encode())])

    def _changed(self, daemon: Daemon) -> bool:
        path = self._key_file(daemon.name)
        return not path.exists() or path.read_text() != self._daemon_key(daemon)

    def _launch(self, daemon: Daemon) -> None:
        self.machine.launch(daemon)
        self._remember(daemon)

    def _remember(self, daemon: Daemon) -> None:
        self._key_file(daemon.name).write_text(self._daemon_key(daemon))
