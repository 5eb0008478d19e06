"""What this machine has that decides which provider fits it: looked at in seconds, before anything is built."""

from __future__ import annotations

import platform
import shutil
from concurrent.futures import ThreadPoolExecutor

from genpool_dev import privilege
from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import docker
from genpool_dev.cluster.providers import kind
from genpool_dev.cluster.providers.choose import Seen, make
from genpool_dev.cluster.settings import ClusterSettings

#: A registry that has not answered after this many seconds is as good as none.
PULL_SECONDS = 10
#: The node image of kind, where no other is set: its own binary knows which one by digest.
NODE_IMAGE = "kindest/node:v1.35.0"


def look(settings: ClusterSettings) -> Seen:
    """Look at this machine."""
    engine = docker_answers()
    has_kind = any(shutil.which(name) is not None for name in ("kind", "go"))
    worth_asking = engine and has_kind and not make("kind", settings).exists()
    return Seen(
        docker=engine,
        kind=has_kind,
        missing_images=_not_to_be_had(settings.kind_image or NODE_IMAGE) if worth_asking else (),
        linux=platform.system() == "Linux",
        root=privilege.can_be_root(),
    )


def docker_answers() -> bool:
    """Tell whether a Docker engine answers this user."""
    return shutil.which("docker") is not None and shell.succeeds(["docker", "info"])


def _not_to_be_had(node_image: str) -> tuple[str, ...]:
    names = (node_image, docker.BASE, kind.RABBITMQ_IMAGE, kind.S3_IMAGE)
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return tuple(
            name for name, there in zip(names, pool.map(_to_be_had, names), strict=True) if not there
        )


def _to_be_had(name: str) -> bool:
    """Tell whether the engine has an image, or its registry would give it; nothing is pulled."""
    return docker.has(name) or shell.succeeds(["docker", "manifest", "inspect", name], timeout=PULL_SECONDS)
