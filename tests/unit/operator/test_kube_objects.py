"""Objects of the API server that are not as they should be: a strange field hides nothing else of its object."""

from __future__ import annotations

import base64
import copy
from dataclasses import replace
from typing import Any

import pytest

from genpool_operator.decide.objects import (
    ConfigMapView,
    DeploymentView,
    parse_config_map,
    parse_deployment,
    parse_owner,
    parse_pod,
    parse_secret,
)
from genpool_operator.decide.ownership import OwnerFacts
from genpool_operator.decide.pods import ContainerView, PodView
from unit.operator.pools import NOW

COST = "controller.kubernetes.io/pod-deletion-cost"
POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "team",
        "labels": {"app.kubernetes.io/instance": "pictures", "odd": 1},
        "annotations": {COST: "-5"},
    },
    "status": {
        "phase": "Running",
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "no node",
                "lastTransitionTime": "2026-03-01T12:00:00Z",
            },
            {"type": "Ready", "status": "True", "lastProbeTime": None},
        ],
        "containerStatuses": [
            {
                "name": "a",
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 1}},
            },
            {"name": "b", "restartCount": 1},
        ],
    },
}
A, B = ContainerView("a", 2, "CrashLoopBackOff", "back-off", "Error", 1), ContainerView("b", 1)
VIEW = PodView(
    name="p",
    namespace="team",
    instance="pictures",
    ready=True,
    unschedulable_since=NOW,
    unschedulable_message="no node",
    deletion_cost=-5,
    containers=(A, B),
)
SCHEDULED = ("status", "conditions", 0)
FIRST = ("status", "containerStatuses", 0)


def changed(body: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    body = copy.deepcopy(body)
    at: Any = body
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "changes"),
    [
        (("metadata", "name"), 5, {"name": ""}),
        (("metadata", "labels"), None, {"instance": ""}),
        (("metadata", "labels", "app.kubernetes.io/instance"), 5, {"instance": ""}),
        (("metadata", "annotations"), None, {"deletion_cost": None}),
        (("metadata", "annotations", COST), "--5", {"deletion_cost": None}),
        (("metadata", "annotations", COST), "5.0", {"deletion_cost": None}),
        (("metadata", "annotations", COST), True, {"deletion_cost": None}),
        (("metadata", "deletionTimestamp"), None, {}),
        (("metadata", "deletionTimestamp"), {"odd": 1}, {"terminating": True}),
        (("status", "phase"), ["Failed"], {}),
        (("status", "phase"), "Failed", {"finished": True}),
        ((*SCHEDULED, "lastTransitionTime"), "soon", {"unschedulable_since": None}),
        ((*SCHEDULED, "lastTransitionTime"), "2026-03-01T12:00:00", {"unschedulable_since": None}),
        ((*SCHEDULED, "lastTransitionTime"), 1_772_366_400, {"unschedulable_since": None}),
        ((*SCHEDULED, "message"), None, {"unschedulable_message": ""}),
        ((*SCHEDULED, "status"), False, {"unschedulable_since": None, "unschedulable_message": ""}),
        (SCHEDULED, "odd", {"unschedulable_since": None, "unschedulable_message": ""}),
        (("status", "conditions", 1, "status"), True, {"ready": False}),
        (("status", "conditions", 1), None, {"ready": False}),
        ((*FIRST, "state"), None, {"containers": (replace(A, waiting=None, waiting_message=""), B)}),
        ((*FIRST, "state", "waiting"), [], {"containers": (replace(A, waiting=None, waiting_message=""), B)}),
        (
            (*FIRST, "lastState", "terminated", "exitCode"),
            True,
            {"containers": (replace(A, exit_code=None), B)},
        ),
        ((*FIRST, "restartCount"), "2", {"containers": (replace(A, restarts=0), B)}),
        (FIRST, 5, {"containers": (B,)}),
        (("status", "initContainerStatuses"), {"a": 1}, {}),
        (("spec",), None, {}),
    ],
)
def test_a_strange_pod_still_counts(
    path: tuple[str | int, ...], value: object, changes: dict[str, Any]
) -> None:
    assert parse_pod(changed(POD, path, value)) == replace(VIEW, **changes)


@pytest.mark.parametrize("status", [None, "odd", [], 5])
def test_a_pod_without_a_readable_status(status: object) -> None:
    seen = parse_pod({**POD, "status": status})
    assert seen == PodView("p", "team", "pictures", deletion_cost=-5)


OWNER = {"kind": "GenerationPool", "uid": "u", "controller": True}
DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "d", "namespace": "team", "ownerReferences": [OWNER]},
    "spec": {"replicas": 3, "paused": False},
    "status": {
        "replicas": 2,
        "readyReplicas": 1,
        "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota"}],
    },
}


@pytest.mark.parametrize(
    ("path", "value", "changes"),
    [
        (("spec", "replicas"), None, {"wanted": 1}),
        (("spec", "replicas"), True, {"wanted": 1}),
        (("spec", "replicas"), 0, {"wanted": 0}),
        (("status", "readyReplicas"), None, {"ready": 0}),
        (("status", "replicas"), "2", {"existing": 0}),
        (("status", "conditions"), None, {"refused": None}),
        (("status", "conditions", 0, "message"), None, {"refused": ""}),
        (("status", "conditions", 0, "status"), True, {"refused": None}),
        (("status", "conditions"), [None, *DEPLOYMENT["status"]["conditions"]], {}),
        (("status",), None, {"existing": 0, "ready": 0, "refused": None}),
        (("metadata", "ownerReferences"), [None, {**OWNER, "controller": 1}, OWNER], {}),
        (("metadata", "ownerReferences", 0, "uid"), None, {"owner": OwnerFacts({}, "GenerationPool")}),
        (("metadata", "ownerReferences"), OWNER, {"owner": OwnerFacts()}),
        (
            ("metadata", "labels"),
            {"a": "b", "c": 1},
            {"owner": OwnerFacts({"a": "b"}, "GenerationPool", "u")},
        ),
        (("metadata", "annotations"), {"genpool.dev/spec-hash": 5}, {}),
    ],
)
def test_a_strange_deployment_still_counts(
    path: tuple[str | int, ...], value: object, changes: dict[str, Any]
) -> None:
    view = parse_deployment(DEPLOYMENT)
    assert view == DeploymentView(
        name="d",
        namespace="team",
        instance="",
        owner=OwnerFacts({}, "GenerationPool", "u"),
        fingerprint=view.fingerprint,
        wanted=3,
        existing=2,
        ready=1,
        refused="quota",
    )
    assert parse_deployment(changed(DEPLOYMENT, path, value)) == replace(view, **changes)


def test_an_object_without_anything() -> None:
    assert parse_owner({}) == OwnerFacts()
    assert parse_deployment({}).wanted == 1
    assert parse_config_map({}) == ConfigMapView(OwnerFacts())
    assert parse_secret({}, "keys") is None


def test_a_config_map() -> None:
    body: dict[str, Any] = {"metadata": {"ownerReferences": [OWNER]}, "data": {"a.json": "{}", "odd": None}}
    owner = OwnerFacts({}, "GenerationPool", "u")
    assert parse_config_map(body) == ConfigMapView(owner, {"a.json": "{}"})
    body["binaryData"] = {"b.json": "//57AA==", "odd": "*", "none": None}
    assert parse_config_map(body) == ConfigMapView(owner, {"a.json": "{}"}, {"b.json": b"\xff\xfe{\0"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (base64.b64encode("пароль".encode()).decode(), "пароль"),
        ("", ""),
        ("no base64!", None),
        ("日", None),
        (base64.b64encode(b"\xff").decode(), "\ufffd"),
        (None, None),
        (5, None),
    ],
)
def test_a_secret(value: object, expected: str | None) -> None:
    assert parse_secret({"data": {"other": "dQ==", "keys": value}}, "keys") == expected
