"""Where `make images` pushes to, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genpool_core.version import __version__
from genpool_dev.cluster.artifacts.catalog import COMPONENTS, Component
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.images import Target

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        ("registry.example.com/team", "registry.example.com/team/genpool-operator"),
        ("localhost:5000", "localhost:5000/genpool-operator"),
        ("10.213.0.1:5000/a/b-c", "10.213.0.1:5000/a/b-c/genpool-operator"),
    ],
)
def test_names(registry: str, name: str) -> None:
    assert Target(registry).name("operator") == f"{name}:{__version__}"
    assert Target(registry, "7").name("operator") == f"{name}:7"


@pytest.mark.parametrize(
    "registry",
    [
        "",
        "https://registry.example.com",
        "registry.example.com/",
        "registry.example.com/Team",
        "a b",
        "user:pw@host",
    ],
)
def test_what_is_no_registry_is_refused_with_an_example(registry: str) -> None:
    with pytest.raises(ClusterError, match="make images REGISTRY=registry"):
        Target(registry)


@pytest.mark.parametrize("tag", ["", "a/b", "-x", "ä", "x" * 129])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ClusterError, match="TAG"):
        Target("registry.example.com", tag)


def test_what_helm_is_told() -> None:
    assert Target("r.example").helm_values() == (
        "operator.image.repository=r.example/genpool-operator,"
        "worker.image.repository=r.example/genpool-worker,"
        "gateway.image.repository=r.example/genpool-gateway"
    )
    assert Target("r.example", "7").helm_values().endswith("worker.image.tag=7,gateway.image.tag=7")


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_what_an_image_copies_is_given_to_its_build(component: Component) -> None:
    """The local cluster builds from a copy of these sources alone, and names the image after them."""
    stages = (ROOT / "images" / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    (stage,) = [item for item in stages if item.startswith(f"wheels AS {component.name}\n")]
    copied = re.findall(r"^COPY (\S+) /app/", stage, re.MULTILINE)
    assert set(copied) == set(component.sources)
