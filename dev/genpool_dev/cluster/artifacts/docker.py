"""GenPool's images by ``docker build``, where a Docker engine answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import catalog, pipsettings
from genpool_dev.cluster.artifacts.catalog import Component
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

BASE = "python:3.13-slim"
KEPT = 3
"""How many versions of each image the engine keeps."""
#: The first client of Docker that leaves builds to a plugin.
_BUILDX_SINCE = 23


def build_refusal(client: str, *, buildx: bool) -> str | None:
    """Return why a client of a version cannot build our images, or nothing. Pure.

    The images' secrets need BuildKit: older clients have it built in, newer ones in the plugin buildx.
    """
    major = re.match(r"\d+", client)
    if buildx or major is None or int(major[0]) < _BUILDX_SINCE:
        return None
    return (
        f"This docker ({client}) builds images with its plugin buildx, and that is missing: install Docker's package "
        "docker-buildx-plugin (in Debian and Ubuntu: docker-buildx)."
    )


def why_no_builds() -> str | None:
    """Return why the docker on the PATH cannot build our images, or nothing."""
    client = shell.run(["docker", "version", "--format", "{{.Client.Version}}"], timeout=30).strip()
    return build_refusal(client, buildx=shell.succeeds(["docker", "buildx", "version"]))


def refuse_without_buildx() -> None:
    """Raise :class:`~genpool_dev.cluster.errors.ClusterError` where the docker on the PATH cannot build our images."""
    sentence = why_no_builds()
    if sentence is not None:
        raise ClusterError(sentence)


def ensure_components(steps: Steps) -> dict[str, str]:
    """Return the full names of GenPool's images, building those that the engine lacks."""
    names = catalog.component_names(BASE)
    missing = [each for each in catalog.COMPONENTS if not has(names[each.name])]
    if missing:
        refuse_without_buildx()
        with pipsettings.secrets() as secrets:
            for each in missing:
                names[each.name] = _build(each, secrets, steps)
        for old in superseded(of_ours(), set(names.values())):
            # One that a container still uses stays until the next time.
            shell.succeeds(["docker", "image", "rm", old], timeout=60)
    return names


def of_ours() -> list[str]:
    """Return the names of our images that the engine has, the newest first."""
    words = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]
    return shell.run([*words, "--filter", f"reference={catalog.PREFIX}/*"]).split()


def superseded(newest_first: Sequence[str], wanted: Collection[str], keep: int = KEPT) -> list[str]:
    """Return the images that are older than the newest ``keep`` of their repository, and not ``wanted``. Pure."""
    seen: dict[str, int] = {}
    old = []
    for name in newest_first:
        repository = name.rpartition(":")[0]
        seen[repository] = seen.get(repository, 0) + 1
        if seen[repository] > keep and name not in wanted:
            old.append(name)
    return old


def _build(component: Component, secrets: Path, steps: Steps) -> str:
    log = cache_home() / "logs" / f"image-{component.name}.log"
    with (
        locked(cache_home() / "locks" / f"image-{component.name}"),
        steps.step(f"Image {component.name}"),
        workspace() as folder,
    ):
        catalog.snapshot(component, folder)
        name = catalog.component_name(component, BASE, folder)
        arguments = catalog.build_arguments(component, BASE, name, secrets)
        env = shell.with_system_path() | {"DOCKER_BUILDKIT": "1"}
        what = f"Building the image {component.name}"
        command = ["docker", "build", *arguments, "."]
        shell.run_logged(command, log, env=env, cwd=folder, what=what, anew=True)
    return name


def push(name: str, target: str, *, insecure: bool = False) -> None:
    """Push an image of the engine to a registry under another name.

    ``insecure`` is the engine's own setting (``insecure-registries``): Docker has no option for one push.
    """
    del insecure
    log = cache_home() / "logs" / "image-push.log"
    shell.run_logged(["docker", "tag", name, target], log, what=f"Naming {target}", anew=True)
    shell.run_logged(["docker", "push", target], log, what=f"Pushing {target}")


def has(name: str) -> bool:
    """Tell whether the engine has an image."""
    return shell.succeeds(["docker", "image", "inspect", "--format", "{{.Id}}", name])
