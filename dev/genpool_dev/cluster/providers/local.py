"""Kubernetes as processes of this machine, in namespaces of their own: needs Linux and root only."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from genpool_dev.cluster import preflight, shell
from genpool_dev.cluster.addresses import divide
from genpool_dev.cluster.artifacts import buildah, catalog, golang, links, packages
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.node import cleaning, daemons, network
from genpool_dev.cluster.node.bootstrap import Bootstrap
from genpool_dev.cluster.node.config import CONTEXT
from genpool_dev.cluster.node.places import Places, claim
from genpool_dev.cluster.providers.base import Images
from genpool_dev.cluster.services import Endpoints, Shape, host_path
from genpool_dev.cluster.settings import ClusterSettings, ProviderName, cache_home, state_home
from genpool_dev.progress import Steps

BUILT = ("kube", "coredns", "helm")
WORKERS = 7


class LocalProvider:
    """The provider ``local``."""

    name: ProviderName = "local"
    borrowed = False

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        kept = cache_home() / "nodes" / settings.netns / "containerd"
        self._places = Places(state_home(settings, "local"), kept)
        self._plan = divide(settings.subnet)
        self._bootstrap = Bootstrap(self._places, settings, self._plan)

    @property
    def state(self) -> Path:
        """The folder of kubeconfig, logs and data."""
        return self._places.state

    def context(self) -> str:
        """Return the one context of its kubeconfig."""
        return CONTEXT

    def exists(self) -> bool:
        """Tell whether a whole cluster was made here: its data is in the state folder, also where it is dead."""
        return self._places.info.exists()

    def check(self) -> None:
        """Refuse where this machine cannot run the node."""
        routes = network.routes() if packages.is_present("ip") else ()
        cold = not all(golang.is_built(name) for name in BUILT)
        facts = preflight.observe(cache_home(), self.state, routes, cold=cold)
        link = network.link_of(self._settings.netns)
        sentence = preflight.refusal(facts, self._settings.subnet, link)
        if sentence is not None:
            raise ClusterError(sentence)

    def up(self, steps: Steps) -> tuple[Kube, Images]:
        """Build what is missing, start or mend the node, and give it the images."""
        packages.install_missing(steps)
        claim(self._places)
        pause, images = self._build(steps)
        names = [pause, images.rabbitmq, images.s3, *images.components.values()]
        kube = self._kube()
        self._bootstrap.ensure(kube, pause, names, steps)
        return kube, images

    def _build(self, steps: Steps) -> tuple[str, Images]:
        """Build binaries and images, at the same time; returns the name of the pause image too."""
        with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="build") as pool:
            # The longest first: it decides how long a first run takes.
            binaries = [pool.submit(golang.build, name, steps) for name in BUILT]
            support = {
                image.name: pool.submit(buildah.ensure_support, image, steps) for image in catalog.SUPPORT
            }
            components = pool.submit(buildah.ensure_components, steps)
            everything: list[Future[Any]] = [*binaries, *support.values(), components]
            try:
                for ended in wait(everything, return_when=FIRST_EXCEPTION).done:
                    ended.result()
            except BaseException:
                _end(everything)
                raise
            images = Images(
                components=components.result(),
                rabbitmq=support["rabbitmq"].result(),
                s3=support["versitygw"].result(),
            )
            return support["pause"].result(), images

    def _kube(self) -> Kube:
        kubectl = links.link("kubectl", golang.path_of("kube"))
        helm = links.link("helm", golang.path_of("helm"))
        return Kube(kubectl, helm, self._places.kubeconfig, CONTEXT)

    def shape(self, images: Images) -> Shape:
        """Return what the manifests need to know: data lies in the state folder."""
        volumes = {name: host_path(self._places.data / name) for name in ("rabbitmq", "s3")}
        return Shape(images.rabbitmq, images.s3, volumes)

    def endpoints(self, kube: Kube) -> Endpoints:
        """Return the services' own addresses: this machine has a route to them."""
        rabbitmq, s3 = (
            kube.get("service", name, "--namespace", NAMESPACE)["spec"]["clusterIP"]
            for name in ("rabbitmq", "s3")
        )
        return Endpoints(rabbitmq, 5672, f"http://{rabbitmq}:15672", f"http://{s3}:9000")

    def host_address(self) -> str:
        """Return this machine's end of the link to the node."""
        return str(self._plan.host)

    def s3_folder(self) -> Path | None:
        """Return the folder in the state folder."""
        return self._places.data / "s3"

    def status(self) -> list[tuple[str, str]]:
        """Return the programs of the node, and whether each works."""
        machine = self._bootstrap.machine
        binaries = daemons.Binaries(golang.path_of("kube"), golang.path_of("coredns"))
        table = [
            daemons.containerd(self._places),
            daemons.etcd(self._places, binaries),
            daemons.apiserver(self._places, self._plan, binaries),
            *daemons.followers(self._places, self._plan, binaries),
        ]
        lines = [("node", "runs" if machine.holder() else "does not run")]
        for daemon in table:
            if not machine.is_running(daemon.name):
                state = f"does not run (log: {self._places.log(daemon.name)})"
            else:
                state = "works" if machine.works(daemon) else f"does not answer at {daemon.health}"
            lines.append((daemon.name, state))
        return lines

    def stop(self) -> bool:
        """End the node; :meth:`up` starts it again, with all that it had. Tells whether anything of it ran."""
        return cleaning.clean(self._places, self._settings.netns, (cache_home(), self._places.state))

    def down(self, steps: Steps) -> None:
        """Take away the node and its files, and make sure that nothing is left."""
        with steps.step("Taking the local cluster away") as step:
            there = self.stop()
            cleaning.remove_state(self._places)
            left = cleaning.leftovers(self._places, self._settings.netns)
            if left:
                raise ClusterError(f"Still there: {'; '.join(left)}.")
            step.result("nothing is left" if there else "there was nothing running")


def _end(builds: Sequence[Future[Any]]) -> None:
    """End builds under way, after Ctrl-C or a first failure: else minutes pass before anybody is told."""
    while wait(builds, timeout=0.2).not_done:
        shell.end_running()
