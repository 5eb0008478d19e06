"""All images that a cluster needs, pushed to a registry from which it pulls them."""

from __future__ import annotations

import os
import platform
import shutil

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import buildah, catalog, docker, packages
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.progress import Steps

#: Support images that go to a registry: the others are for the node of the local cluster.
SERVERS = {"rabbitmq": "rabbitmq", "s3": "versitygw"}


def pushed_name(name: str, registry: str) -> str:
    """Return the name that an image has in ``registry``: its last part, with the tag, below its path. Pure."""
    return f"{registry.rstrip('/')}/{name.rpartition('/')[2]}"


def refusal() -> str | None:
    """Return the sentence that says why this machine cannot build and push images, or nothing."""
    if _docker_answers():
        return docker.why_no_builds()
    if platform.system() == "Linux" and os.geteuid() == 0:
        return None
    return (
        "PROVIDER=current builds and pushes images with Docker, and `docker info` fails: start Docker, or run this as "
        "root on Linux, where buildah does it (and name your kubeconfig in KUBECONFIG)."
    )


def publish(registry: str, public: dict[str, str], steps: Steps, *, insecure: bool = False) -> dict[str, str]:
    """Push the images and return their names in the registry: GenPool's by component, and ``rabbitmq`` and ``s3``.

    ``public`` are the public images of those two, which Docker pulls where it has not got them; without Docker,
    buildah builds them as for the local cluster. ``insecure``: the registry speaks plain HTTP (for Docker that is a
    setting of its engine). Raises :class:`ClusterError` for an image that is not to be had, or not taken.
    """
    if _docker_answers():
        built = docker.ensure_components(steps) | {
            each: _pulled(name, steps) for each, name in public.items()
        }
        push = docker.push
    else:
        packages.install_missing(steps)
        support = {image.name: image for image in catalog.SUPPORT}
        built = buildah.ensure_components(steps) | {
            each: buildah.ensure_support(support[image], steps) for each, image in SERVERS.items()
        }
        push = buildah.push
    pushed = {each: pushed_name(name, registry) for each, name in built.items()}
    with steps.step(f"{len(pushed)} images to {registry}"):
        for each, name in built.items():
            push(name, pushed[each], insecure=insecure)
    return pushed


def _docker_answers() -> bool:
    return shutil.which("docker") is not None and shell.succeeds(["docker", "info"])


def _pulled(name: str, steps: Steps) -> str:
    """Return the name of a public image that the engine has by now."""
    if docker.has(name):
        return name
    with steps.step(f"Pulling {name}"):
        try:
            shell.run(["docker", "pull", "--quiet", name])
        except ClusterError as error:
            raise ClusterError(
                f"Docker neither has the image {name} nor can pull it: load it with `docker load`, and run this "
                f"again.\n{error.message}"
            ) from error
    return name
