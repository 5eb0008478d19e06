"""Debian root file systems by mmdebstrap: the bases of images where there is no registry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

#: Names a Debian mirror where apt's sources do not, as on another distribution.
MIRROR_VARIABLE = "GENPOOL_DEBIAN_MIRROR"


@dataclass(frozen=True)
class RootFS:
    """A Debian suite and the packages to have in it."""

    suite: str
    packages: tuple[str, ...]
    may_be_stale: bool = False
    """Whether a mirror's copy of the suite may be past its expiry date (testing, on slow mirrors)."""


PYTHON = RootFS("trixie", ("python3", "python3-venv", "ca-certificates"))
RABBITMQ = RootFS("forky", ("rabbitmq-server",), may_be_stale=True)


def mirror_of(sources: Iterable[str], distribution: str) -> str | None:
    """Return the Debian mirror that the texts of apt's sources name, or None.

    ``distribution`` is ``ID`` of /etc/os-release: another distribution's mirror has no Debian.
    """
    if distribution == "debian":
        for text in sources:
            for address in _addresses(text):
                if re.search(r"/debian/?$", address):
                    return address.rstrip("/")
    return None


def _addresses(text: str) -> Iterator[str]:
    """Yield the addresses of apt sources, in the one-line format and in deb822."""
    for line in text.splitlines():
        if match := re.match(r"\s*deb\s+(?:\[[^]]*]\s+)?(\S+)", line):
            yield match[1]
        elif match := re.match(r"URIs:\s*(.+)", line, re.IGNORECASE):
            yield from match[1].split()


def machine_mirror() -> str:
    """Return the Debian mirror to take packages from: the variable's, else the one that this machine uses.

    Raises
    ------
    ClusterError
        Neither names one.
    """
    if given := os.environ.get(MIRROR_VARIABLE):
        return given
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    release = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    match = re.search(r'^ID="?([a-z]+)', release, re.MULTILINE)
    texts = [path.read_text(errors="replace") for path in files if path.is_file()]
    mirror = mirror_of(texts, match[1] if match else "")
    if mirror is None:
        raise ClusterError(
            "The images' bases are made from Debian packages, and apt's sources on this machine name no Debian mirror: "
            f"set {MIRROR_VARIABLE} to the URL of one (it ends in /debian), or use PROVIDER=kind."
        )
    return mirror


def command_of(rootfs: RootFS, mirror: str, target: Path) -> list[str]:
    """Return the mmdebstrap command that writes a root file system as a tar file."""
    # In a mount namespace of its own: whatever ends it, no mount stays behind.
    words = ["unshare", "--mount", "mmdebstrap", "--quiet", "--variant=minbase"]
    words.append(f"--include={','.join(rootfs.packages)}")
    if rootfs.may_be_stale:
        words.append('--aptopt=Acquire::Check-Valid-Until "false"')
    return [*words, rootfs.suite, str(target), f"deb {mirror} {rootfs.suite} main"]


@contextmanager
def made(rootfs: RootFS, steps: Steps) -> Iterator[Path]:
    """Make a root file system as ``rootfs.tar`` in a folder that lasts as long as the block."""
    log = cache_home() / "logs" / f"rootfs-{rootfs.suite}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    with workspace() as folder:
        target = folder / "rootfs.tar"
        what = f"Debian {rootfs.suite} with {', '.join(rootfs.packages)}"
        with steps.step(f"Image base: {what}", "about 25 s"):
            env = shell.with_system_path() | {"TMPDIR": str(folder), "SOURCE_DATE_EPOCH": "0"}
            command = command_of(rootfs, machine_mirror(), target)
            shell.run_logged(command, log, env=env | _locale(), what=f"mmdebstrap of {what}")
        yield target


def _locale() -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": os.environ["HOME"]}
