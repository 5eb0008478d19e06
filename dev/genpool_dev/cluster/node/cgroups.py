"""The node's control group, on version 1 and version 2: everything that depends on which it is.

kubelet is told to keep all pods below one group of ours, ``/<name>``, so that nothing of a kubelet that
the machine may have is touched, and so that what is left after the end can be found and removed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from genpool_dev.cluster.errors import ClusterError

ROOT = Path("/sys/fs/cgroup")


def is_version_2(root: Path = ROOT) -> bool:
    """Tell whether the machine has the unified hierarchy only."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> tuple[Path, ...]:
    """Return the folders that each have a tree of groups: one on version 2, one a controller on 1.

    Raises :class:`ClusterError` where no control groups are mounted.
    """
    if is_version_2(root):
        return (root,)
    found = (
        path
        for path in (root.iterdir() if root.is_dir() else ())
        if path.is_dir() and not path.is_symlink() and (path / "cgroup.procs").exists()
    )
    trees = tuple(sorted(found))
    if not trees:
        raise ClusterError(
            f"No control groups are mounted at {root}: the local cluster needs them. Use a machine "
            "with systemd, or PROVIDER=kind where Docker is."
        )
    return trees


def create(name: str, root: Path = ROOT) -> None:
    """Make the group in every hierarchy; one that is there stays."""
    if is_version_2(root):
        # kubelet refuses a group that lacks a controller which the machine has.
        _delegate(root)
        (root / name).mkdir(exist_ok=True)
        _delegate(root / name)
        return
    for tree in hierarchies(root):
        group = tree / name
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            # These start empty, and then no process may enter.
            own, above = group / file, tree / file
            if own.exists() and not own.read_text().strip():
                own.write_text(above.read_text())


DELEGATED = ("cpu", "cpuset", "hugetlb", "io", "memory", "pids")


def _delegate(group: Path) -> None:
    """Let the groups below ``group`` have the controllers that kubelet asks for (version 2)."""
    there = (group / "cgroup.controllers").read_text().split()
    for controller in DELEGATED:
        if controller in there:
            # Refused in a container that may not; kubelet then names what it misses.
            with contextlib.suppress(OSError):
                (group / "cgroup.subtree_control").write_text(f"+{controller}")


def remains(name: str, root: Path = ROOT) -> tuple[Path, ...]:
    """Return the group's folders in all hierarchies, the innermost first."""
    found: list[Path] = []
    for tree in hierarchies(root):
        top = tree / name
        if top.is_dir():
            inner = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
            found += [*inner, top]
    return tuple(found)


def pids(name: str, root: Path = ROOT) -> tuple[int, ...]:
    """Return the processes in the group or below it."""
    found: set[int] = set()
    for group in remains(name, root):
        try:
            found.update(int(pid) for pid in (group / "cgroup.procs").read_text().split())
        except OSError:  # removed meanwhile, or a threaded group
            continue
    return tuple(sorted(found))


def remove(name: str, root: Path = ROOT) -> None:
    """Remove the group in every hierarchy; what still has processes stays and is reported later."""
    for group in remains(name, root):
        try:
            group.rmdir()
        except OSError:  # busy: leftovers() names it
            continue
