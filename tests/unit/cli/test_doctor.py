"""What the doctor says of pools, CRD, programs and nodes: tables."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_cli.client import Gateway, direct
from genpool_cli.doctor.cluster import of_crd, of_nodes, of_programs
from genpool_cli.doctor.finding import Finding, run
from genpool_cli.doctor.gateway import check_gateway, of_pool, of_store
from genpool_cli.errors import Away
from genpool_cli.reach import Reach
from genpool_core.version import __version__


def pool(*conditions: tuple[str, str], trouble: str | None = None, dead: int | None = 0) -> dict[str, Any]:
    return {
        "name": "art/text",
        "trouble": trouble,
        "conditions": [
            {"type": kind, "status": status, "reason": "R", "message": "Do this."}
            for kind, status in conditions
        ],
        "queue": {"dead_lettered": dead},
        "scaling": {"message": "Nothing waits."},
    }


@pytest.mark.parametrize(
    ("body", "states", "first"),
    [
        (pool(("Ready", "True")), ["ok"], "Nothing waits."),
        (pool(("Ready", "True"), dead=3), ["warn", "ok"], "3 dead letters: genpool dlq list --pool art/text"),
        (pool(("Ready", "False"), ("A", "Unknown")), ["wrong", "unknown"], "Ready is False (R): Do this."),
        (pool(("Ready", "False"), trouble="No ConfigMap."), ["wrong"], "No ConfigMap."),
        (pool(), ["ok"], "Nothing waits."),
    ],
)
def test_a_pool(body: dict[str, Any], states: list[str], first: str) -> None:
    found = list(of_pool(body))
    assert [each.state for each in found] == states
    assert found[0].message == first


@pytest.mark.parametrize(
    ("store", "states"),
    [
        (None, []),
        ({"state": "works", "message": None}, []),
        ({"state": "unlisted", "message": "It is not in gateway.stores."}, []),
        ({"state": "refused", "message": "The keys are wrong."}, ["wrong"]),
        ({"state": "unavailable", "message": "It does not answer."}, ["wrong"]),
        ({"state": "unknown", "message": None}, ["unknown"]),
    ],
)
def test_a_pools_store(store: dict[str, Any] | None, states: list[str]) -> None:
    body = pool(("Ready", "True")) | ({} if store is None else {"store": store})
    found = list(of_store(body))
    assert [each.state for each in found] == states
    assert all(each.what == "store of pool art/text" for each in found)
    assert [each.message for each in found if each.state == "wrong"] == [
        (store or {})["message"] for state in states if state == "wrong"
    ]
    assert [each.state for each in of_pool(body)] == [*states, "ok"]


@pytest.mark.parametrize(
    ("crd", "state"),
    [
        (None, "wrong"),
        ({"spec": {"versions": [{"name": "v1alpha1", "served": True}]}}, "ok"),
        (
            {"spec": {"versions": [{"name": "v1alpha1", "served": False}, {"name": "v2", "served": True}]}},
            "wrong",
        ),
    ],
)
def test_the_crd(crd: dict[str, Any] | None, state: str) -> None:
    assert of_crd(crd).state == state


def deployment(component: str, version: str = __version__, ready: int = 1) -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": component, "app.kubernetes.io/version": version}
    return {
        "metadata": {"namespace": "g", "name": component, "labels": labels},
        "status": {"readyReplicas": ready},
    }


@pytest.mark.parametrize(
    ("deployments", "states"),
    [
        ([deployment("operator"), deployment("gateway")], ["ok", "ok"]),
        ([deployment("operator", ready=0), deployment("gateway", "0.0.1")], ["wrong", "warn"]),
        ([deployment("worker")], ["warn", "warn"]),
    ],
)
def test_the_programs(deployments: list[dict[str, Any]], states: list[str]) -> None:
    assert [each.state for each in of_programs(deployments)] == states


def node(**allocatable: str) -> dict[str, Any]:
    return {"status": {"allocatable": {key.replace("__", "/"): value for key, value in allocatable.items()}}}


@pytest.mark.parametrize(
    ("nodes", "state", "message"),
    [
        ([node(cpu="4"), {}], "warn", "No node has one now"),
        ([node(**{"nvidia.com__gpu": "0"})], "warn", "No node has one now"),
        ([node(**{"nvidia.com__gpu": "2"}), node(**{"nvidia.com__gpu": "1"})], "ok", "3 nvidia.com/gpu"),
    ],
)
def test_nodes(nodes: list[dict[str, Any]], state: str, message: str) -> None:
    found = of_nodes(nodes)
    assert found.state == state
    assert found.message.startswith(message)


def test_a_gateway_that_is_away_is_said_to_be_so_at_once() -> None:
    waited: list[float] = []
    gateway = Gateway(direct("http://127.0.0.1:1", "key"), sleep=waited.append)
    reach = Reach()
    reach.__dict__["gateway"] = gateway
    (found,) = run("gateway", lambda: check_gateway(reach))
    assert found.state == "wrong"
    assert waited == []


def test_what_a_check_stumbles_over_is_a_finding() -> None:
    def check() -> Any:  # noqa: ANN401 - an iterator
        yield Finding("a", "ok", "fine")
        raise Away("it does not answer.")

    assert run("b", check) == [Finding("a", "ok", "fine"), Finding("b", "wrong", "it does not answer.")]
