"""GenPool's images by ``docker build``, where a Docker engine answers."""

from __future__ import annotations

from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import catalog, pipsettings
from genpool_dev.cluster.artifacts.catalog import Component
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

BASE = "python:3.13-slim"


def ensure_components(steps: Steps) -> dict[str, str]:
    """Return the full names of GenPool's images, building those that the engine lacks."""
    names = catalog.component_names(BASE)
    missing = [each for each in catalog.COMPONENTS if not has(names[each.name])]
    if missing:
        with pipsettings.secrets() as secrets:
            for each in missing:
                names[each.name] = _build(each, secrets, steps)
    return names


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
        shell.run_logged(command, log, env=env, cwd=folder, what=what)
    return name


def push(name: str, target: str, *, insecure: bool = False) -> None:
    """Push an image of the engine to a registry under another name.

    ``insecure`` is the engine's own setting (``insecure-registries``): Docker has no option for one push.
    """
    del insecure
    log = cache_home() / "logs" / "image-push.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    shell.run_logged(["docker", "tag", name, target], log, what=f"Naming {target}")
    shell.run_logged(["docker", "push", target], log, what=f"Pushing {target}")


def has(name: str) -> bool:
    """Tell whether the engine has an image."""
    return shell.succeeds(["docker", "image", "inspect", "--format", "{{.Id}}", name])
