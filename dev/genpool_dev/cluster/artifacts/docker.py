"""GenPool's images by ``docker build``, where a Docker engine answers."""

from __future__ import annotations

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import catalog, pipsettings
from genpool_dev.cluster.artifacts.catalog import CHECKOUT
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

BASE = "python:3.13-slim"


def ensure_components(steps: Steps) -> dict[str, str]:
    """Return the full names of GenPool's images, building those that the engine lacks."""
    wanted = catalog.component_names(BASE)
    missing = [each for each in catalog.COMPONENTS if not has(wanted[each.name])]
    if not missing:
        return wanted
    with pipsettings.secrets() as secrets:
        for component in missing:
            name = wanted[component.name]
            arguments = catalog.build_arguments(component, BASE, name, secrets)
            log = cache_home() / "logs" / f"image-{component.name}.log"
            with (
                locked(cache_home() / "locks" / f"image-{component.name}"),
                steps.step(f"Image {component.name}"),
            ):
                env = shell.with_system_path() | {"DOCKER_BUILDKIT": "1"}
                command = ["docker", "build", *arguments, "."]
                what = f"Building the image {component.name}"
                shell.run_logged(command, log, env=env, cwd=CHECKOUT, what=what)
    return wanted


def has(name: str) -> bool:
    """Tell whether the engine has an image."""
    return shell.succeeds(["docker", "image", "inspect", "--format", "{{.Id}}", name])
