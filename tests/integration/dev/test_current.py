"""The provider ``current`` with a kubectl that writes down what it is asked: refusals, and what is taken away."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from genpool_dev.cluster import api
from genpool_dev.cluster.artifacts import registry
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.model import CONTEXTS
from genpool_dev.cluster.providers import record
from genpool_dev.cluster.providers.current import CurrentProvider
from genpool_dev.cluster.settings import ClusterRef
from genpool_dev.progress import Steps

DEFAULT = {
    "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
}


@dataclass
class World:
    """The clusters of a person, and this machine's folder about them."""

    bin: Path
    ref: ClusterRef

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.bin / "clusters.json").read_text())
        return found

    def change(self, name: str, **changes: object) -> None:
        world = self.read()
        world["clusters"][name].update(changes)
        self.write(world)

    def use(self, name: str) -> None:
        self.write(self.read() | {"current": name})

    def write(self, world: dict[str, Any]) -> None:
        (self.bin / "clusters.json").write_text(json.dumps(world))

    def asked(self) -> list[str]:
        path = self.bin / "asked"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def provider(self) -> CurrentProvider:
        return CurrentProvider(self.ref.settings())

    def up(self) -> None:
        """Put on the current cluster what :func:`api.ensure_up` puts there, as far as the provider is asked."""
        api.check(self.ref)
        kube, images = self.provider.up(Steps())
        labels = dict(self.provider.shape(images).labels)
        self.change(kube.context, namespace={"metadata": {"name": "genpool-dev", "labels": labels}})


def cluster(server: str) -> dict[str, Any]:
    return {"server": server, "answers": True, "classes": [DEFAULT], "namespace": None}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    binaries, state = tmp_path / "bin", tmp_path / "state"
    binaries.mkdir()
    shutil.copy(Path(__file__).with_name("fake_kubectl.py"), binaries / "kubectl")
    (binaries / "kubectl").chmod(0o755)
    (binaries / "helm").symlink_to("kubectl")
    for name in ("PROVIDER", "GENPOOL_DEV_HOST", "GENPOOL_DEV_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{binaries}:/usr/bin:/bin")
    monkeypatch.setenv(CONTEXTS, "yours,other")
    monkeypatch.setenv("GENPOOL_DEV_REGISTRY", "registry.example.org/team")
    monkeypatch.setenv("GENPOOL_DEV_HOST", "192.0.2.7")
    monkeypatch.setattr(registry, "refusal", lambda: None)
    images = {name: f"registry.example.org/team/{name}:1" for name in ("worker", "rabbitmq", "s3")}
    monkeypatch.setattr(registry, "publish", lambda *_args, **_more: images)
    ref = ClusterRef(provider="current", netns="unit", subnet=IPv4Network("10.213.0.0/16"), state=state)
    made = World(binaries, ref)
    clusters = {"yours": cluster("https://192.0.2.1:6443"), "other": cluster("https://192.0.2.2:6443")}
    made.write({"current": "yours", "clusters": clusters})
    return made


def test_what_was_put_there_is_known_again_and_taken_away(world: World) -> None:
    assert not api.exists(world.ref)
    world.up()
    assert api.exists(world.ref)
    api.check(world.ref)  # again, on what is ours
    api.down(world.ref)
    assert world.read()["clusters"]["yours"]["namespace"] is None
    assert not api.exists(world.ref)
    assert not world.ref.state.exists()


def test_a_context_that_is_not_named_is_refused_before_its_cluster_is_asked_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTEXTS, "other")
    with pytest.raises(ClusterError, match="GENPOOL_E2E_CONTEXTS=yours"):
        api.ensure_up(world.ref)
    assert world.asked() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": []}, "no StorageClass"),
        ({"answers": False}, "does not answer"),
        ({"namespace": {"metadata": {"name": "genpool-dev"}}}, "not made from here"),
    ],
)
def test_a_refusal_leaves_nothing_here_and_nothing_there(
    world: World, change: dict[str, object], words: str
) -> None:
    world.change("yours", **change)
    with pytest.raises(ClusterError, match=words):
        api.ensure_up(world.ref)
    assert not world.ref.state.exists()
    assert all(line.split()[1] == "get" for line in world.asked())


def test_an_api_server_on_loopback_needs_an_address_for_pods(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.change("yours", server="https://127.0.0.1:6443")
    api.check(world.ref)
    monkeypatch.delenv("GENPOOL_DEV_HOST")
    with pytest.raises(ClusterError, match="GENPOOL_DEV_HOST"):
        api.check(world.ref)


def test_what_lies_on_another_cluster_is_taken_away_before_the_next_is_used(world: World) -> None:
    world.up()
    world.use("other")
    assert not api.exists(world.ref)
    with pytest.raises(ClusterError, match=r"context yours .*current context is other .*cluster-down"):
        api.check(world.ref)
    api.down(world.ref)
    clusters = world.read()["clusters"]
    assert clusters["yours"]["namespace"] is None
    assert not any(line.startswith("other: delete") for line in world.asked())
    world.up()
    assert world.provider.shape(world.provider.up(Steps())[1]).labels != {}
    made = record.load(world.ref.state)
    assert made is not None
    assert (made.context, made.server) == ("other", "https://192.0.2.2:6443")


def test_a_cluster_that_is_gone_blocks_neither_its_end_nor_the_next(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.up()
    world.change("yours", answers=False)
    api.down(world.ref)
    assert "kubectl --context=yours delete namespace genpool-dev" in capsys.readouterr().err
    assert not world.ref.state.exists()
    world.change("yours", answers=True, namespace=None)
    world.up()
    world.change("yours", answers=False)
    world.use("other")
    world.up()
    api.down(world.ref)
    assert world.read()["clusters"]["other"]["namespace"] is None


def test_a_context_of_the_same_name_that_means_another_cluster_is_another(world: World) -> None:
    world.up()
    world.change("yours", server="https://192.0.2.3:6443", namespace=None)
    assert not api.exists(world.ref)
    api.check(world.ref)


def test_a_namespace_that_somebody_made_anew_meanwhile_stays(world: World) -> None:
    world.up()
    theirs = {"metadata": {"name": "genpool-dev", "labels": {record.LABEL: "another"}}}
    world.change("yours", namespace=theirs)
    assert not api.exists(world.ref)
    api.down(world.ref)
    assert world.read()["clusters"]["yours"]["namespace"] == theirs


def test_what_a_killed_run_pushed_and_did_not_install_is_no_cluster(world: World) -> None:
    api.check(world.ref)
    world.provider.up(Steps())
    assert not api.exists(world.ref)
    api.check(world.ref)
    api.down(world.ref)
    assert not world.ref.state.exists()
