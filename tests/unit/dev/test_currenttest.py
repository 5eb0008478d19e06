"""The cluster of somebody else, as ``make test-current`` makes one and looks at it."""

from __future__ import annotations

import tomllib
from ipaddress import IPv4Network
from pathlib import Path

import yaml

from genpool_dev.cluster.addresses import divide
from genpool_dev.cluster.node import config
from genpool_dev.cluster.node.places import Places
from genpool_dev.cluster.providers.currentcheck import has_default_class
from genpool_dev.currenttest import inventory, yours


def test_what_is_left_gone_or_made_anew_is_named() -> None:
    before = {"Pod/a/x": "1", "Pod/a/y": "2", "Pod/a/z": "3"}
    after = {"Pod/a/x": "1", "Pod/a/y": "9", "Role/b/r": "4"}
    assert inventory.differences(before, before) == []
    assert inventory.differences(before, after) == ["left: Role/b/r", "gone: Pod/a/z", "another: Pod/a/y"]


def test_the_owner_has_a_context_of_another_name_for_the_same_cluster() -> None:
    ours = config.kubeconfig(divide(yours.SUBNET), b"PEM", "admin", "token")
    theirs = yaml.safe_load(yours.renamed(ours, yours.CONTEXT))
    assert theirs["current-context"] == theirs["contexts"][0]["name"] == yours.CONTEXT
    assert theirs["clusters"] == yaml.safe_load(ours)["clusters"]
    assert theirs["contexts"][0]["context"] == yaml.safe_load(ours)["contexts"][0]["context"]


def test_it_lies_beside_the_cluster_of_developers() -> None:
    assert not yours.SUBNET.overlaps(IPv4Network("10.213.0.0/16"))


def test_its_class_is_the_default_and_has_the_volumes() -> None:
    assert has_default_class([yours.storage_class()])
    spec = yours.volume(Path("/data/3"))["spec"]
    assert spec["storageClassName"] == yours.storage_class()["metadata"]["name"]


def test_containerd_reads_how_a_registry_is_reached(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path)
    yours.trust(places, "10.214.255.253:5000")
    text = (places.registries / "10.214.255.253:5000" / "hosts.toml").read_text()
    assert list(tomllib.loads(text)["host"]) == ["http://10.214.255.253:5000"]
    containerd = tomllib.loads(config.containerd(places, "pause:1", "overlayfs"))
    cri = containerd["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["registry"] == {"config_path": str(places.registries)}
