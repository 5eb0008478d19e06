"""Which images there are, and what each is built from: values and pure functions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster.artifacts import golang, hashing, rootfs

CHECKOUT = Path(__file__).resolve().parents[4]
PREFIX = "localhost/genpool"


@dataclass(frozen=True)
class Component:
    """One of GenPool's own images: a stage of images/Dockerfile."""

    name: str
    sources: tuple[str, ...]
    """Files and folders of the checkout that go in."""

    @property
    def requirements(self) -> str:
        """Its file of wheels, below the checkout."""
        return f"requirements/{self.name}.txt"


CONTRACT = ("core/genpool_core", "adapters/genpool_adapters")

COMPONENTS = (
    Component("operator", (*CONTRACT, "operator/genpool_operator", "workflows")),
    Component("worker", (*CONTRACT, "worker/genpool_worker")),
    Component("gateway", (*CONTRACT, "gateway/genpool_gateway", "workflows")),
    Component("comfyui-standin", ("dev/genpool_dev/__init__.py", "dev/genpool_dev/comfyui")),
)


@dataclass(frozen=True)
class SupportImage:
    """An image that only the local cluster needs, since it has no registry."""

    name: str
    dockerfile: str
    base: rootfs.RootFS | None = None
    """A root file system to add, or none."""
    binary: str | None = None
    """A binary of ``dev/go`` to copy in, or none."""
    files: tuple[str, ...] = ()
    """Further files of images/ that the Dockerfile copies."""


PYTHON_BASE = SupportImage("python", "rootfs.Dockerfile", base=rootfs.PYTHON)
SUPPORT = (
    SupportImage("pause", "pause.Dockerfile", binary="pause"),
    SupportImage("versitygw", "versitygw.Dockerfile", binary="versitygw"),
    SupportImage("rabbitmq", "rabbitmq.Dockerfile", base=rootfs.RABBITMQ, files=("enabled_plugins",)),
)


def support_name(image: SupportImage, checkout: Path = CHECKOUT) -> str:
    """Return the full name of an image of the local cluster, with its key as tag."""
    files = [f"images/{image.dockerfile}", *(f"images/{file}" for file in image.files)]
    parts = list(hashing.files_below(checkout, files))
    parts.append(("base", repr(image.base).encode()))
    if image.binary is not None:
        parts.append(("binary", golang.binary_key(golang.BINARIES[image.binary]).encode()))
    return f"{PREFIX}/{image.name}:{hashing.key(parts)}"


def files_of(component: Component) -> tuple[str, ...]:
    """Return the files and folders of the checkout that an image is built from."""
    return ("images/Dockerfile", component.requirements, *component.sources)


def component_name(component: Component, base: str, checkout: Path = CHECKOUT) -> str:
    """Return the full name of one of GenPool's images, with its key as tag."""
    parts = [*hashing.files_below(checkout, files_of(component)), ("base", base.encode())]
    return f"{PREFIX}/{component.name}:{hashing.key(parts)}"


def snapshot(component: Component, folder: Path, checkout: Path = CHECKOUT) -> None:
    """Copy what an image is built from, so that an edit during the build cannot get in unnamed."""
    left_out = shutil.ignore_patterns(*hashing.LEFT_OUT)
    for name in files_of(component):
        source, target = checkout / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=left_out)
        else:
            shutil.copy2(source, target)


def component_names(base: str, checkout: Path = CHECKOUT) -> dict[str, str]:
    """Return the full names of all of GenPool's images, by component."""
    return {each.name: component_name(each, base, checkout) for each in COMPONENTS}


def build_arguments(component: Component, base: str, name: str, secrets: Path) -> Iterator[str]:
    """Yield the arguments that ``buildah bud`` and ``docker build`` share, without the context."""
    yield from ("--build-arg", f"BASE={base}", "--build-arg", f"COMPONENT={component.name}")
    yield from ("--target", component.name, "--file", "images/Dockerfile", "--tag", name)
    yield from ("--secret", f"id=pipconf,src={secrets / 'pip.conf'}")
    yield from ("--secret", f"id=certificates,src={secrets / 'certificates.pem'}")
