"""Taking away what a node left: observe, decide (pure), do, look again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node import cgroups, mountpoints, network, process
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.node.places import Places


@dataclass(frozen=True)
class Found:
    """A process in the namespace or control group of our name."""

    identity: process.Identity
    command: str


@dataclass(frozen=True)
class Observed:
    """What there is of a node on this machine."""

    holder: process.Identity | None
    """The node's first process, proven by its pid file; nothing where it does not run."""
    processes: tuple[Found, ...]
    namespace: bool
    link: bool
    groups: bool
    mounts: tuple[str, ...]
    """Mount points below the state folder, seen from this machine."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not (
            self.holder or self.processes or self.namespace or self.link or self.groups or self.mounts
        )


@dataclass(frozen=True)
class Plan:
    """What to take away, in this order."""

    kill: tuple[process.Identity, ...]
    unmount: tuple[str, ...]
    network: bool
    groups: bool


def is_ours(command: str, folders: Iterable[Path]) -> bool:
    """Tell whether a process was started from our folders, or for them."""
    return any(f"{folder}/" in command for folder in folders)


def decide(observed: Observed, netns: str, folders: Iterable[Path]) -> Plan:
    """Plan the removal of a node. Pure.

    Raises :class:`ClusterError` where the namespace or the group of our name is somebody else's:
    programs are in there, and none of them is known to be ours.
    """
    known = tuple(folders)
    ours = observed.holder or any(is_ours(each.command, known) for each in observed.processes)
    if observed.processes and not ours:
        first = observed.processes[0]
        raise ClusterError(
            f"The network namespace or control group {netns} is used by a program that is not the "
            f"local cluster's: {first.command[:80]!r} (pid {first.identity.pid}). End it, or set "
            "GENPOOL_DEV_NETNS to another name."
        )
    kill = [observed.holder] if observed.holder else []
    kill += [each.identity for each in observed.processes]
    return Plan(
        kill=tuple(dict.fromkeys(kill)),
        unmount=tuple(sorted(observed.mounts, key=len, reverse=True)),
        network=observed.namespace or observed.link,
        groups=observed.groups,
    )


def mounts_below(mountinfo: str, folder: Path) -> tuple[str, ...]:
    """Return the mount points at or below ``folder`` from the text of ``/proc/self/mountinfo``."""
    points = []
    for line in mountinfo.splitlines():
        point = line.split()[4].replace("\\040", " ")
        if Path(point).is_relative_to(folder):
            points.append(point)
    return tuple(points)


def observe(places: Places, netns: str) -> Observed:
    """Look at what there is of a node on this machine."""
    inode = network.inode(netns)
    pids = set(process.in_namespace(inode)) if inode is not None else set()
    pids.update(cgroups.pids(netns))
    pids.discard(os.getpid())
    identified = [(process.identify(pid), process.command_line(pid)) for pid in sorted(pids)]
    holder = process.load(places.holder)
    return Observed(
        holder=holder if process.is_alive(holder) else None,
        processes=tuple(Found(identity, line) for identity, line in identified if identity),
        namespace=network.exists(netns),
        link=network.has_link(netns),
        groups=bool(cgroups.remains(netns)),
        mounts=mounts_below(Path("/proc/self/mountinfo").read_text(), places.state),
    )


def clean(places: Places, netns: str, folders: Iterable[Path]) -> bool:
    """Take away what there is of a node but its files; tells whether there was anything.

    Raises :class:`ClusterError` that names whatever is still there afterwards.
    """
    observed = observe(places, netns)
    if observed.is_empty:
        return False
    plan = decide(observed, netns, folders)
    process.kill(plan.kill)
    # The kernel ends the rest of the node with its first process.
    until(lambda: not cgroups.pids(netns), 20, 0.05)
    for point in plan.unmount:
        _unmount(point)
    if plan.network:
        network.remove(netns)
    if plan.groups:
        until(lambda: _groups_gone(netns), 10, 0.1)
    mountpoints.remove_unused()
    left = leftovers(places, netns)
    if left:
        raise ClusterError(f"Could not take away everything; still there: {'; '.join(left)}.")
    return True


def _groups_gone(netns: str) -> bool:
    cgroups.remove(netns)
    return not cgroups.remains(netns)


def _unmount(point: str) -> None:
    shell.run(["umount", "--lazy", point])


def leftovers(places: Places, netns: str) -> tuple[str, ...]:
    """Name whatever there still is of a node on this machine, but its files."""
    observed = observe(places, netns)
    found = [f"process {each.identity.pid} ({each.command[:60]})" for each in observed.processes]
    found += [f"mount {point}" for point in observed.mounts]
    if observed.namespace:
        found.append(f"network namespace {netns}")
    if observed.link:
        found.append(f"link {network.link_of(netns)}")
    found += [f"control group {group}" for group in cgroups.remains(netns)]
    return tuple(found)


def remove_state(places: Places) -> None:
    """Delete the state folder if it is ours. Refuses while anything is mounted in it."""
    if not (places.is_ours and places.state.exists()):
        return
    mounted = mounts_below(Path("/proc/self/mountinfo").read_text(), places.state)
    if mounted:
        raise ClusterError(f"Not deleting {places.state}: {mounted[0]} is still mounted in it.")
    shutil.rmtree(places.state)
