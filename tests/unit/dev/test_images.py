"""Where `make images` pushes to, and what it refuses."""

from __future__ import annotations

import pytest

from genpool_core.version import __version__
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.images import Target


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
