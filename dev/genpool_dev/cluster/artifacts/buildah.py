"""Images without a Docker engine: Dockerfiles by buildah, kept in the cache's OCI layout."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import catalog, golang, layout, pipsettings, rootfs
from genpool_dev.cluster.artifacts.catalog import CHECKOUT, Component, SupportImage
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

KEPT = 10
"""How many versions of each image the cache keeps."""


def layout_path() -> Path:
    """Return the folder of the cache's OCI layout."""
    return cache_home() / "images"


def ensure_support(image: SupportImage, steps: Steps) -> str:
    """Return the full name of an image of the local cluster, building it if the cache lacks it."""
    name = catalog.support_name(image)
    with locked(cache_home() / "locks" / f"image-{image.name}"):
        if name in layout.names(layout_path()):
            return name
        with workspace() as context:
            for file in (image.dockerfile, *image.files):
                shutil.copy(CHECKOUT / "images" / file, context / Path(file).name)
            if image.binary is not None:
                shutil.copy(golang.build(image.binary, steps), context / image.binary)
            if image.base is None:
                _build_support(image, name, context, steps)
            else:
                with rootfs.made(image.base, steps) as tar:
                    tar.rename(context / "rootfs.tar")
                    _build_support(image, name, context, steps)
    return name


def _build_support(image: SupportImage, name: str, context: Path, steps: Steps) -> None:
    arguments = ["--file", str(context / image.dockerfile), "--tag", name, str(context)]
    with steps.step(f"Image {image.name}"):
        _build(name, arguments, image.name, context)


def ensure_components(steps: Steps) -> dict[str, str]:
    """Return the full names of GenPool's images, building those that the cache lacks."""
    base = ensure_support(catalog.PYTHON_BASE, steps)
    present = layout.names(layout_path())
    names = catalog.component_names(base)
    missing = [each for each in catalog.COMPONENTS if names[each.name] not in present]
    if missing:
        with pipsettings.secrets() as secrets:
            for each in missing:
                names[each.name] = _ensure_component(each, base, secrets, steps)
    return names


def _ensure_component(component: Component, base: str, secrets: Path, steps: Steps) -> str:
    with (
        locked(cache_home() / "locks" / f"image-{component.name}"),
        steps.step(f"Image {component.name}"),
        workspace() as folder,
    ):
        catalog.snapshot(component, folder)
        name = catalog.component_name(component, base, folder)
        if name not in layout.names(layout_path()):
            arguments = catalog.build_arguments(component, base, name, secrets)
            _build(name, [*arguments, "."], component.name, folder)
    return name


def push(name: str, target: str, *, insecure: bool = False) -> None:
    """Push an image of the cache to a registry under another name; the login is that of ``buildah login``."""
    log = cache_home() / "logs" / "image-push.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    verify = [] if not insecure else ["--tls-verify=false"]
    with _storage(log):
        _buildah(log, f"Pushing {target}", "push", *verify, name, f"docker://{target}")


def _build(name: str, arguments: list[str], what: str, folder: Path) -> None:
    """Build an image, put it into the layout, and forget what is older than the newest few."""
    log = cache_home() / "logs" / f"image-{what}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    # chroot isolation and the host's network: as it works in containers and without a bridge.
    options = ["--layers", "--isolation", "chroot", "--network", "host", "--pull-never"]
    with _storage(log):
        _buildah(log, f"Building the image {what}", "bud", *options, *arguments, folder=folder)
        layout_path().mkdir(parents=True, exist_ok=True)
        _buildah(log, f"Storing the image {what}", "push", name, f"oci:{layout_path()}:{name}")
        old = layout.superseded(layout.read_index(layout_path()), KEPT)
        if old:
            layout.forget(layout_path(), old)
            _buildah(log, "Removing older images", "rmi", "--force", *old)


@contextmanager
def _storage(log: Path) -> Iterator[None]:
    """Hold buildah's storage; what a killed run left half-done in it is cleared first."""
    home = cache_home() / "buildah"
    at_work = home / "at-work"
    with locked(cache_home() / "locks" / "buildah"):
        if at_work.exists():
            shutil.rmtree(home / "run", ignore_errors=True)
            _buildah(log, "Clearing what a killed build left", "rm", "--all")
        home.mkdir(parents=True, exist_ok=True)
        at_work.touch()
        try:
            yield
        finally:
            at_work.unlink(missing_ok=True)


def _buildah(log: Path, what: str, *words: str, folder: Path = Path("/")) -> None:
    """Run buildah on the cache's own storage, in a mount namespace of its own."""
    home = cache_home() / "buildah"
    storage = ["--root", f"{home}/storage", "--runroot", f"{home}/run"]
    program = ["unshare", "--mount", "buildah", *storage, "--storage-driver", "overlay"]
    env = shell.with_system_path()
    shell.run_logged([*program, *words], log, env=env, cwd=folder, what=what)
