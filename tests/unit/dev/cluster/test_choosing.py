"""Which provider a command works on when nobody says, and the line that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.providers.choose import Seen, among, choose, only

ALL = Seen(docker=True, kind=True, missing_images=(), linux=True, root=True)
NODE = ("kindest/node:v1",)


@pytest.mark.parametrize(
    ("change", "provider", "words"),
    [
        ({}, "kind", ("Docker answers", "PROVIDER=local", "PROVIDER=current")),
        ({"root": False}, "kind", ("PROVIDER=local",)),
        ({"docker": False}, "local", ("no Docker engine answers", "PROVIDER=kind", "PROVIDER=current")),
        ({"kind": False}, "local", ("kind is not there", "PROVIDER=kind")),
        ({"missing_images": NODE}, "local", ("neither has kindest/node:v1 nor can pull it", "PROVIDER=kind")),
    ],
)
def test_the_provider_fits_the_machine(
    change: dict[str, object], provider: str, words: tuple[str, ...]
) -> None:
    choice = choose(replace(ALL, **change))  # type: ignore[arg-type]
    assert choice.provider == provider
    assert "\n" not in choice.reason
    assert all(word in choice.reason for word in words)


def test_where_there_is_no_linux_nobody_is_told_of_local() -> None:
    assert "PROVIDER=local" not in choose(replace(ALL, linux=False)).reason


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(ALL, docker=False, linux=False), "no Docker engine answers, and this is not Linux"),
        (replace(ALL, docker=False, root=False), "no Docker engine answers, and this is not root"),
        (replace(ALL, kind=False, linux=False), "kind is not there"),
        (replace(ALL, missing_images=NODE, root=False), "neither has kindest/node:v1 nor can pull it"),
    ],
)
def test_a_machine_without_any_way_is_told_what_is_missing_and_a_way(seen: Seen, words: str) -> None:
    with pytest.raises(ClusterError, match=f"{words}.*PROVIDER=current"):
        choose(seen)


def test_what_is_up_is_taken_and_what_is_up_beside_it_is_told() -> None:
    assert among(["kind"]).provider == "kind"
    choice = among(["local", "kind"])
    assert choice.provider == "local"
    assert "kind is up too" in choice.reason


def test_what_is_taken_away_is_never_guessed() -> None:
    assert only([], "cluster-down") is None
    assert only(["kind"], "cluster-down") == "kind"
    with pytest.raises(ClusterError, match="`make demo-down PROVIDER=local`, `make demo-down PROVIDER=kind`"):
        only(["local", "kind"], "demo-down")
