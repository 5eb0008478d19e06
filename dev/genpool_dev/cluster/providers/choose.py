"""Which provider this machine gets when nobody says."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass

from genpool_dev.cluster import shell
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.providers.base import Provider
from genpool_dev.cluster.providers.current import CurrentProvider
from genpool_dev.cluster.providers.kind import KindProvider
from genpool_dev.cluster.providers.local import LocalProvider
from genpool_dev.cluster.settings import ClusterSettings, ProviderName


@dataclass(frozen=True)
class Seen:
    """What decides."""

    docker: bool
    """A Docker engine answers."""
    kind: bool
    """kind is there, or Go to build it with."""
    linux: bool


def choose(seen: Seen) -> ProviderName:
    """Choose a provider. Pure. Raises :class:`ClusterError` where none fits."""
    if seen.docker and seen.kind:
        return "kind"
    if seen.linux:
        return "local"
    if seen.docker:
        raise ClusterError(
            "Docker answers, but kind is not there and neither is Go to build it: install kind "
            "(or Go) and run this again."
        )
    raise ClusterError(
        "There is no way to a cluster here: no Docker engine answers and this is not Linux. Start "
        "Docker (and install kind), or point your kubeconfig at a cluster and use PROVIDER=current."
    )


def look() -> Seen:
    """Look at this machine."""
    docker = shutil.which("docker") is not None and shell.succeeds(["docker", "info"])
    kind = any(shutil.which(name) is not None for name in ("kind", "go"))
    return Seen(docker=docker, kind=kind, linux=platform.system() == "Linux")


def provider_name(settings: ClusterSettings) -> ProviderName:
    """Return the provider that was asked for, else the one that fits this machine."""
    return settings.provider or choose(look())


def make(name: ProviderName, settings: ClusterSettings) -> Provider:
    """Return the provider of a name."""
    if name == "local":
        return LocalProvider(settings)
    if name == "kind":
        return KindProvider(settings)
    return CurrentProvider(settings)
