"""What an uninstallation deletes on a cluster, and what it leaves there since it is somebody's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genpool_dev.cluster.model import ClusterInfo, RabbitMQInfo, S3Info
from genpool_dev.cluster.settings import ProviderName
from genpool_dev.stack import gateway, install, layout, uninstall
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.install import Stack
from genpool_dev.stack.kubectl import Kubectl

OURS = {layout.MARK: layout.MARK_VALUE}
POOL = {
    "metadata": {"name": "text", "namespace": layout.POOL_NAMESPACE},
    "spec": {"queue": {"name": "tasks"}, "storage": {"s3": {"bucket": layout.BUCKET, "prefix": "p/"}}},
}


def info(provider: ProviderName = "current") -> ClusterInfo:
    return ClusterInfo(
        provider=provider,
        context="yours",
        kubeconfig=Path("/k"),
        kubectl=Path("/b/kubectl"),
        helm=Path("/b/helm"),
        images={},
        rabbitmq=RabbitMQInfo(
            host="h", port=1, management_url="http://h", username="u", password="p", in_cluster_host="c"
        ),
        s3=S3Info(
            endpoint="http://s", in_cluster_endpoint="http://c", access_key="a", secret_key="b", folder=None
        ),
        host_address="192.0.2.7",
        state_dir=Path("/nowhere"),
    )


@dataclass(frozen=True)
class FakeKubectl(Kubectl):
    """A cluster with some objects; notes what is deleted there."""

    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    """Labels by name."""
    crd: bool = True
    pools: list[dict[str, Any]] = field(default_factory=list)
    roles: list[dict[str, Any]] = field(default_factory=list)
    """Objects of GenPool in no namespace."""
    deleted: list[str] = field(default_factory=list)

    def get(self, *words: str) -> dict[str, Any]:
        if words[0] == "namespaces":
            marked = [name for name, labels in self.namespaces.items() if labels == OURS]
            return {"items": [{"metadata": {"name": name}} for name in marked]}
        return {
            "items": {uninstall.CRD: self.pools, "clusterroles,clusterrolebindings": self.roles}.get(
                words[0], []
            )
        }

    def find(self, *words: str) -> dict[str, Any] | None:
        kind, name = words[:2]
        if kind == "crd":
            return {"metadata": {"name": name}} if self.crd else None
        labels = self.namespaces.get(name)
        return None if labels is None else {"metadata": {"name": name, "labels": labels}}

    def run(self, *words: str, stdin: str | None = None, timeout: float = 60) -> str:  # noqa: ARG002 - as its base
        assert words[0] == "delete"
        self.deleted.append(" ".join(word for word in words[1:] if not word.startswith("--")))
        if words[1] == uninstall.CRD:
            self.pools.clear()
        return ""

    def wait(self, what: object, condition: str, *, seconds: float) -> None:
        """It has gone."""


class NoBroker:
    """A broker on which nothing is."""

    def queues(self, _vhost: str) -> dict[str, Any]:
        return {}

    def exchanges(self, _vhost: str) -> list[str]:
        return []

    policies = exchanges

    def users(self) -> list[str]:
        return []


class Emptied:
    """A bucket; notes which folders are emptied."""

    name = layout.BUCKET

    def __init__(self) -> None:
        self.prefixes: list[str] = []

    def remove(self, prefixes: Iterable[str]) -> None:
        self.prefixes += prefixes


def cluster(**contents: Any) -> tuple[FakeKubectl, Stack, Emptied]:  # noqa: ANN401 - the fake's own fields
    kubectl = FakeKubectl(Path("/b/kubectl"), Path("/b/helm"), Path("/k"), "yours", **contents)
    bucket = Emptied()
    return kubectl, Stack(info(), kubectl, NoBroker(), bucket), bucket  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_forwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "close_way", lambda _info: None)


def test_what_a_demo_made_goes_with_its_pools_crd_and_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {layout.SYSTEM_NAMESPACE: OURS, layout.POOL_NAMESPACE: OURS}
    kubectl, stack, bucket = cluster(namespaces=both, pools=[POOL])
    monkeypatch.setattr(uninstall, "look", lambda _info: stack)
    uninstall.uninstall(info())
    assert kubectl.deleted == [
        uninstall.CRD,
        f"crd {uninstall.CRD}",
        f"namespace {layout.POOL_NAMESPACE} {layout.SYSTEM_NAMESPACE}",
    ]
    assert bucket.prefixes == ["p/"]


def test_servers_that_go_are_not_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl, stack, bucket = cluster(namespaces={layout.POOL_NAMESPACE: OURS}, pools=[POOL])
    monkeypatch.setattr(uninstall, "look", lambda _info: stack)
    uninstall.uninstall(info(), servers_stay=False)
    assert f"namespace {layout.POOL_NAMESPACE}" in kubectl.deleted
    assert bucket.prefixes == []


def test_after_a_kill_between_release_and_namespaces_the_crd_goes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kubectl, stack, _ = cluster(namespaces={layout.SYSTEM_NAMESPACE: OURS})
    monkeypatch.setattr(uninstall, "look", lambda _info: stack)
    uninstall.uninstall(info())
    assert kubectl.deleted == [f"crd {uninstall.CRD}", f"namespace {layout.SYSTEM_NAMESPACE}"]


def test_pools_namespaces_and_crd_of_somebody_else_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs: dict[str, dict[str, str]] = {layout.SYSTEM_NAMESPACE: {}, layout.POOL_NAMESPACE: {}}
    kubectl, stack, bucket = cluster(namespaces=theirs, pools=[POOL])
    monkeypatch.setattr(uninstall, "look", lambda _info: stack)
    uninstall.uninstall(info())
    assert kubectl.deleted == []
    assert bucket.prefixes == []


def test_roles_go_also_where_somebody_deleted_the_namespace_with_the_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def role(namespace: str) -> dict[str, Any]:
        told = {"meta.helm.sh/release-name": layout.RELEASE, "meta.helm.sh/release-namespace": namespace}
        return {"kind": "ClusterRole", "metadata": {"name": f"{namespace}:operator", "annotations": told}}

    kubectl, stack, _ = cluster(roles=[role(layout.SYSTEM_NAMESPACE), role("of-somebody")])
    monkeypatch.setattr(uninstall, "look", lambda _info: stack)
    uninstall.uninstall(info())
    assert kubectl.deleted == [f"clusterrole {layout.SYSTEM_NAMESPACE}:operator"]


@pytest.mark.parametrize(
    ("provider", "namespaces", "refused"),
    [
        ("current", {}, True),
        ("current", {layout.SYSTEM_NAMESPACE: OURS}, False),  # what a killed demo left
        ("local", {}, False),
    ],
)
def test_no_second_operator_joins_one_that_works_on_a_persons_cluster(
    provider: ProviderName, namespaces: dict[str, dict[str, str]], *, refused: bool
) -> None:
    kubectl, _, _ = cluster(namespaces=namespaces)
    stack = Stack(info(provider), kubectl, NoBroker(), Emptied())  # type: ignore[arg-type]
    if not refused:
        install._refuse_foreign(stack)
        return
    with pytest.raises(StackError, match=r"Somebody uses GenPool on yours.*kubectl delete crd"):
        install._refuse_foreign(stack)
