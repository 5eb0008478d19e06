"""What must be so before the local cluster can start: looked at first, told in one sentence."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.addresses import Route, collision

GIB = 1 << 30
DISK_COLD = 9 * GIB
"""Free space for the first build: Go's modules and build cache, root file systems, images."""
DISK_WARM = 3 * GIB
MEMORY = 3 * GIB


@dataclass(frozen=True)
class Facts:
    """What was seen of this machine."""

    system: str
    root: bool
    disk: tuple[tuple[Path, int, int], ...]
    """Folder, bytes free, bytes needed."""
    memory: int
    """Bytes that programs can have without swapping."""
    routes: tuple[Route, ...]


def refusal(facts: Facts, subnet: IPv4Network, own_link: str) -> str | None:
    """Return the sentence that says why the local cluster cannot start here, or nothing. Pure."""
    if facts.system != "Linux":
        return (
            f"The local cluster needs Linux, and this is {facts.system}: start Docker and use "
            "PROVIDER=kind, or point your kubeconfig at a cluster and use PROVIDER=current."
        )
    if not facts.root:
        return (
            "The local cluster needs root (namespaces, mounts, containers): run this with sudo, "
            "or start Docker and use PROVIDER=kind."
        )
    for folder, free, needed in facts.disk:
        if free < needed:
            return (
                f"The disk of {folder} is too full: {free / GIB:.1f} GiB free, "
                f"{needed / GIB:.0f} GiB needed. Free some, or set XDG_CACHE_HOME (builds) or "
                "GENPOOL_DEV_STATE (data) to another disk."
            )
    if facts.memory < MEMORY:
        return (
            f"The local cluster needs {MEMORY / GIB:.0f} GiB of memory, and "
            f"{facts.memory / GIB:.1f} GiB are available: end other programs first."
        )
    return collision(subnet, facts.routes, own_link)


def available_memory(meminfo: str) -> int:
    """Read the available bytes from the text of /proc/meminfo."""
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that has ``folder``, or would have it."""
    there = folder
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def observe(cache: Path, state: Path, routes: tuple[Route, ...], *, cold: bool) -> Facts:
    """Look at this machine."""
    needs = [(cache, DISK_COLD if cold else DISK_WARM), (state, DISK_WARM)]
    meminfo = Path("/proc/meminfo")
    return Facts(
        system=platform.system(),
        root=os.geteuid() == 0,
        disk=tuple((folder, free_bytes(folder), needed) for folder, needed in needs),
        memory=available_memory(meminfo.read_text()) if meminfo.exists() else 0,
        routes=routes,
    )


def has_overlay(folder: Path) -> bool:
    """Tell whether the file system of ``folder`` can be the upper layer of an overlay, by trying."""
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as work:
        parts = {name: Path(work) / name for name in ("lower", "upper", "work", "merged")}
        for part in parts.values():
            part.mkdir()
        options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])]
        # In a mount namespace of its own, which ends with the command.
        return shell.succeeds(["unshare", "--mount", *mount])
