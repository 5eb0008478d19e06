"""``make images``: builds GenPool's images and pushes them to a registry of yours."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass

from genpool_core.version import __version__
from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import buildah, docker, packages
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.privilege import ensure_root
from genpool_dev.progress import Steps

#: What is published; the stand-in is for tests.
PROGRAMS = ("operator", "worker", "gateway")
#: Host, an optional port, and a path in small letters: what an image's name may begin with.
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Target:
    """Where the images go. Its constructor raises ClusterError for what is no registry or tag."""

    registry: str
    """Host and path without a scheme, such as ``registry.example.com/team``."""
    tag: str = __version__
    insecure: bool = False
    """The registry speaks plain HTTP, or its certificate is not to be checked."""

    def __post_init__(self) -> None:
        if not _REGISTRY.fullmatch(self.registry):
            raise ClusterError(
                "REGISTRY is not a registry's host and path: give for example "
                "make images REGISTRY=registry.example.com/team (no https://, no slash at the end, small letters)."
            )
        if not _TAG.fullmatch(self.tag):
            raise ClusterError(f"TAG {self.tag!r} cannot be a tag: use letters, digits, '.', '_' and '-'.")

    def repository(self, program: str) -> str:
        """Name of a program's image without its tag."""
        return f"{self.registry}/genpool-{program}"

    def name(self, program: str) -> str:
        """Full name of a program's image."""
        return f"{self.repository(program)}:{self.tag}"

    def helm_values(self) -> str:
        """Argument of ``helm install --set`` that makes the chart use these images."""
        values = [f"{program}.image.repository={self.repository(program)}" for program in PROGRAMS]
        if self.tag != __version__:
            values += [f"{program}.image.tag={self.tag}" for program in PROGRAMS]
        return ",".join(values)


def publish(target: Target) -> None:
    """Build what is not built yet, push it, and print how to install it.

    Raises
    ------
    ClusterError
        There is neither Docker nor Linux with buildah, or the registry refused.
    """
    steps = Steps()
    if shutil.which("docker") is not None and shell.succeeds(["docker", "info"]):
        built = docker.ensure_components(steps)
        push = docker.push
    else:
        ensure_root()
        packages.install_missing(steps)
        built = buildah.ensure_components(steps)
        push = buildah.push
    for program in PROGRAMS:
        with steps.step(f"Pushing {target.name(program)}"):
            push(built[program], target.name(program), insecure=target.insecure)
    print(
        "Install with these images:\n"
        f"  helm install genpool charts/genpool -n genpool-system --set '{target.helm_values()}' …"
    )
