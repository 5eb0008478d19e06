"""The public images that a run on kind uses, made here: the engine has them as if it had pulled them."""

from __future__ import annotations

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import buildah, catalog, docker, layout
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.providers import kind
from genpool_dev.kindtest.engine import Engine
from genpool_dev.progress import Steps

PUBLIC = {"python": docker.BASE, "rabbitmq": kind.RABBITMQ_IMAGE, "versitygw": kind.S3_IMAGE}
"""By the name of the local cluster's image: the public one that it stands for."""


def ensure(engine: Engine, steps: Steps) -> None:
    """Give the engine the images that it lacks, or has of other sources."""
    for image in (catalog.PYTHON_BASE, *catalog.SUPPORT):
        if image.name not in PUBLIC:
            continue
        ours, public = buildah.ensure_support(image, steps), PUBLIC[image.name]
        # The name with the key of its sources says which one the public name stands for.
        mark = ours.replace(catalog.PREFIX, "genpool.dev/kind", 1)
        if shell.succeeds(engine.enter(["docker", "image", "inspect", mark])):
            continue
        with workspace() as folder, steps.step(f"Image {public} for Docker"):
            with (folder / "image.tar").open("wb") as archive:
                layout.export(buildah.layout_path(), ours, public, archive)
            engine.run("docker", "load", "--quiet", "--input", folder / "image.tar")
            engine.run("docker", "tag", public, mark)
