"""Processes by identity: a pid alone may be another program by now."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from genpool_dev.cluster.errors import ClusterError

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """A process that no other can be taken for: pid, start (clock ticks since boot), boot."""

    pid: int
    started: int
    boot: str


def boot_id() -> str:
    """Return the kernel's name for the time since its start."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_start(stat: str) -> tuple[int, int, str]:
    """Read parent pid, start in clock ticks and state from the text of ``/proc/<pid>/stat``.

    The second field, the program's name, may itself hold spaces and parentheses.
    """
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]), int(fields[19]), fields[0]


def identify(pid: int) -> Identity | None:
    """Return the identity of a running process; nothing where it has ended."""
    try:
        _, started, state = parse_start((PROC / str(pid) / "stat").read_text())
    except (OSError, IndexError):
        return None
    return None if state in "ZX" else Identity(pid, started, boot_id())


def is_alive(identity: Identity | None) -> bool:
    """Tell whether just this process still runs."""
    return identity is not None and identify(identity.pid) == identity


def children(pid: int) -> tuple[int, ...]:
    """Return the pids whose parent is ``pid``."""
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parent, _, _ = parse_start((entry / "stat").read_text())
            except (OSError, IndexError):
                continue
            if parent == pid:
                found.append(int(entry.name))
    return tuple(found)


def in_namespace(inode: int, kind: str = "net") -> tuple[int, ...]:
    """Return the pids of the processes in the namespace (of a kind) with this inode number."""
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                if os.stat(entry / "ns" / kind).st_ino == inode:  # noqa: PTH116 - follows a magic link
                    found.append(int(entry.name))
            except OSError:
                continue
    return tuple(found)


def command_line(pid: int) -> str:
    """Return a process's words, or nothing where it has ended."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def save(path: Path, identity: Identity) -> None:
    """Write a pid file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(identity)))


def load(path: Path) -> Identity | None:
    """Read a pid file; nothing where there is none, or a killed run left half of one."""
    try:
        return Identity(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def kill(identities: Iterable[Identity], *, timeout: float = 20) -> None:
    """Kill processes and wait until they are gone.

    Raises :class:`ClusterError` for one that is still there after ``timeout`` seconds.
    """
    wanted = list(identities)
    for identity in wanted:
        if is_alive(identity):
            try:
                os.kill(identity.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    deadline = time.monotonic() + timeout
    while left := [identity.pid for identity in wanted if is_alive(identity)]:
        if time.monotonic() > deadline:
            raise ClusterError(f"The processes {left} did not end on SIGKILL: see `ps -fp`.")
        time.sleep(0.02)
