"""Which provider a command works on when nobody says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    missing_images: tuple[str, ...]
    """Images that kind's cluster needs, and that the engine neither has nor can pull."""
    linux: bool
    root: bool
    """This is root, or can become root."""


@dataclass(frozen=True)
class Choice:
    """A provider, and the line that says why it is this one and how to get another."""

    provider: ProviderName
    reason: str


_CURRENT = "PROVIDER=current uses the cluster of your kubeconfig"


def choose(seen: Seen) -> Choice:
    """Choose a provider for a new cluster. Pure. Raises :class:`ClusterError` where none fits."""
    against_kind = _against_kind(seen)
    if against_kind is None:
        other = "PROVIDER=local makes one of this machine's processes; " if seen.linux else ""
        return Choice("kind", f"A kind cluster (PROVIDER=kind), since Docker answers. {other}{_CURRENT}.")
    against_local = _against_local(seen)
    if against_local is None:
        return Choice(
            "local",
            f"A cluster of this machine's processes (PROVIDER=local), since {against_kind}. "
            f"PROVIDER=kind makes one in Docker; {_CURRENT}.",
        )
    raise ClusterError(
        f"There is no way to a cluster here: {against_kind}, and {against_local}. Mend one of the two, or point "
        "your kubeconfig at a cluster and use PROVIDER=current."
    )


def _against_kind(seen: Seen) -> str | None:
    if not seen.docker:
        return "no Docker engine answers"
    if not seen.kind:
        return "Docker answers, but kind is not there and neither is Go to build it"
    if seen.missing_images:
        return f"Docker answers, but neither has {seen.missing_images[0]} nor can pull it"
    return None


def _against_local(seen: Seen) -> str | None:
    if not seen.linux:
        return "this is not Linux"
    if not seen.root:
        return "this is not root, and sudo is not to be had"
    return None


def among(up: Sequence[ProviderName]) -> Choice:
    """Choose one of the clusters that are up. Pure."""
    first, *others = up
    beside = f"; {' and '.join(others)} is up too" if others else ""
    return Choice(first, f"The cluster of PROVIDER={first}, which is up{beside}. PROVIDER= names another.")


def only(up: Sequence[ProviderName], command: str) -> ProviderName | None:
    """Return the one that is up, for a command that takes it away; nothing where none is. Pure.

    Raises :class:`ClusterError` where there are several: which one is meant must be said.
    """
    if len(up) > 1:
        ways = ", ".join(f"`make {command} PROVIDER={name}`" for name in up)
        raise ClusterError(f"There are {len(up)}: {' and '.join(up)}. Say which one to take away: {ways}.")
    return up[0] if up else None


def make(name: ProviderName, settings: ClusterSettings) -> Provider:
    """Return the provider of a name."""
    if name == "local":
        return LocalProvider(settings)
    if name == "kind":
        return KindProvider(settings)
    return CurrentProvider(settings)
