"""The Debian packages that the local cluster needs: installed only where a program is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

SYSTEMD = Path("/run/systemd/system")
#: Packages with a service of the same name.
SERVICES = {"containerd", "docker-registry", "postgresql", "prometheus"}
#: Packages whose units have other names.
_UNITS = {"docker.io": ("docker.service", "docker.socket")}
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Need:
    """A program or file, and the Debian package that has it."""

    package: str
    file: str
    """Name of a program, or absolute path of a file, in which ``*`` stands for any folder."""


NEEDS = (
    Need("buildah", "buildah"),
    Need("containerd", "containerd"),
    Need("containerd", "ctr"),
    Need("containernetworking-plugins", "/usr/lib/cni/ptp"),
    Need("debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg"),
    Need("iproute2", "ip"),
    Need("iptables", "iptables"),
    Need("mmdebstrap", "mmdebstrap"),
    Need("openssl", "openssl"),
    Need("runc", "runc"),
    Need("util-linux", "nsenter"),
)


def missing(needs: Sequence[Need], present: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the packages of the needs that are not ``present``, each once, sorted."""
    return tuple(sorted({need.package for need in needs if not present(need.file)}))


def units(installed: Sequence[str]) -> tuple[str, ...]:
    """Return the units of systemd that packages bring: a Docker that a boot starts would be the next run's provider."""
    named = {package: (f"{package}.service",) for package in SERVICES} | _UNITS
    return tuple(unit for package in sorted(installed) for unit in named.get(package, ()))


def is_present(file: str) -> bool:
    """Tell whether a program is on the path of the system, or a file is there."""
    if file.startswith("/"):
        return any(Path("/").glob(file[1:]))
    return shutil.which(file, path=shell.with_system_path()["PATH"]) is not None


def install_missing(steps: Steps, needs: Sequence[Need] = NEEDS) -> None:
    """Install the packages that are missing, if any; never starts, stops or removes anything."""
    wanted = missing(needs, is_present)
    if not wanted:
        return
    names = " ".join(wanted)
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"These programs of Debian's packages are needed: {names}. There is no apt-get "
            "here: install them with this machine's package manager and run this again."
        )
    log = cache_home() / "logs" / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with (
        steps.step(f"Debian packages: {names}", "about 30 s"),
        locked(cache_home() / "locks" / "apt"),
        no_services(),
    ):
        shell.run_logged(["apt-get", "update"], log, env=env, what="apt-get update")
        # --no-remove: on a machine with Docker's own containerd apt would take that away.
        options = ["-y", "--no-remove", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
        command = ["apt-get", "install", *options, *wanted]
        shell.run_logged(command, log, env=env, what=f"Installing {names}")
        for unit in units(wanted) if SYSTEMD.exists() else ():
            # The package asks for a start at each boot; ours is started by who needs it.
            shell.run(["systemctl", "disable", "--quiet", unit])
    left = missing(needs, is_present)
    if left:
        raise ClusterError(f"Programs of {' '.join(left)} are missing after the install.", log=log)


@contextmanager
def no_services() -> Iterator[None]:
    """Keep installed packages from starting their services, as long as the block runs."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
