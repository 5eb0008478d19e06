"""Pods that Kubernetes ended or did not admit are told by its own reason; one of them is no outage."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core.api.status import Condition
from genpool_operator.decide.failed_pods import ANOTHER_STARTS
from genpool_operator.decide.objects import parse_pod
from genpool_operator.decide.pod_health import assess_pods
from genpool_operator.decide.pods import ContainerView, FailureView, PodView
from genpool_operator.decide.proof import Proof, recall
from unit.operator.pools import NOW, at, pod

WINDOW = 1200.0
SAID = "The node was low on resource: ephemeral-storage. "


def failed(name: str, ago: float, reason: str = "Evicted", message: str = SAID, **changes: object) -> PodView:
    failure = FailureView(at(-ago), reason, message)
    return pod(name, **{"ready": False, "finished": True, "failure": failure, **changes})


STARTS = pod("new", ready=False)
SERVES = pod("old", ready_since=at(-7200))
CRASHES = pod("bad", ready=False, containers=(ContainerView("worker", waiting="CrashLoopBackOff"),))


@pytest.mark.parametrize(
    ("pods", "wanted", "reason", "blocking"),
    [
        pytest.param([failed("a", 10), STARTS], 1, "Evicted", False, id="once"),
        pytest.param([failed("a", 10)], 1, "Evicted", False, id="and no other pod yet"),
        pytest.param([failed("a", 60), failed("b", 10), STARTS], 1, "Evicted", True, id="again and again"),
        pytest.param([failed("a", 60), failed("b", 10), STARTS], 2, "Evicted", False, id="all at once"),
        pytest.param(
            [failed("a", WINDOW + 1), failed("b", 10)], 1, "Evicted", False, id="the other one long ago"
        ),
        pytest.param([failed("a", WINDOW + 1), STARTS], 1, "Starting", False, id="long ago"),
        pytest.param(
            [failed("a", 60), failed("b", 10), failed("c", 5), SERVES], 2, "Evicted", False, id="others serve"
        ),
        pytest.param(
            [failed("a", 60), pod("b", ready_since=at(-30))], 1, "AllReady", False, id="a newer one is ready"
        ),
        pytest.param(
            [failed("a", 60), pod("b", ready_since=at(-30)), STARTS],
            2,
            "Starting",
            False,
            id="and one starts",
        ),
        pytest.param([failed("a", 60), SERVES], 1, "AllReady", False, id="fewer are wanted"),
        pytest.param([failed("a", 10)], 0, "NoneWanted", False, id="none is wanted"),
        pytest.param([failed("a", 10), CRASHES], 1, "CrashLoopBackOff", True, id="what is worse comes first"),
        pytest.param(
            [failed("a", 5, "NodeLost", finished=False, terminating=True)], 1, "NodeLost", False, id="node"
        ),
        pytest.param([failed("a", 5, "OutOfcpu")], 1, "OutOfcpu", False, id="not admitted"),
        pytest.param(
            [failed("a", 5, "OutOfnvidia.com/gpu")], 1, "PodFailed", False, id="no reason for a condition"
        ),
    ],
)
def test_what_is_told(pods: list[PodView], wanted: int, reason: str, *, blocking: bool) -> None:
    health = assess_pods(pods, wanted, None, NOW, start_seconds=WINDOW)
    assert (health.reason, health.blocking) == (reason, blocking)


@pytest.mark.parametrize(
    ("pods", "wanted", "message"),
    [
        (
            [failed("a", 60), failed("b", 10)],
            1,
            (
                "Pod b failed (Evicted): The node was low on resource: ephemeral-storage. Where it used too much, "
                "raise comfyui.scratchSize, or request the memory and ephemeral-storage that it needs in "
                "comfyui.resources. 2 pods failed within 20 minutes."
            ),
        ),
        (
            [failed("a", 5, "OutOfnvidia.com/gpu", "")],
            1,
            (
                "Pod a failed (OutOfnvidia.com/gpu): Kubernetes does not say why. kubectl -n team describe pod a says "
                "more. Another pod takes its place."
            ),
        ),
    ],
)
def test_the_sentence(pods: list[PodView], wanted: int, message: str) -> None:
    assert assess_pods(pods, wanted, None, NOW, start_seconds=WINDOW).message == message


def test_one_failure_is_no_outage_for_the_next_operator_either() -> None:
    """It reads the condition of the one before it."""

    def told(pods: list[PodView]) -> Condition:
        health = assess_pods(pods, 1, None, NOW, start_seconds=WINDOW)
        return Condition(
            type="WorkersReady",
            status="False",
            reason=health.reason,
            message=health.message,
            last_transition_time=NOW,
        )

    once = told([failed("a", 10)])
    assert once.message.endswith(ANOTHER_STARTS)
    assert recall(once, "x") == Proof()
    trouble = recall(told([failed("a", 60), failed("b", 10)]), "x").trouble
    assert trouble is not None
    assert (trouble.reason, trouble.blocking) == ("Evicted", True)


def body(phase: str, *, deleted: bool = False, **status: object) -> dict[str, Any]:
    meta = {"name": "p", "namespace": "team", "creationTimestamp": "2026-03-01T11:00:00Z"}
    if deleted:
        meta["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    return {"metadata": meta, "status": {"phase": phase, **status}}


DISRUPTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "TerminationByKubelet",
    "message": "low on memory",
    "lastTransitionTime": "2026-03-01T12:00:00Z",
}
UNREADY = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-03-01T11:30:00Z"}


@pytest.mark.parametrize(
    ("given", "failure"),
    [
        pytest.param(
            body("Failed", reason="Evicted", message="low", conditions=[DISRUPTED, UNREADY]),
            FailureView(NOW, "Evicted", "low"),
            id="evicted",
        ),
        pytest.param(
            body("Failed", reason="Terminated", message="node shutdown", conditions=[UNREADY]),
            FailureView(at(-1800), "Terminated", "node shutdown"),
            id="its node was shut down",
        ),
        pytest.param(
            body("Failed", reason="UnexpectedAdmissionError", message="no GPU"),
            FailureView(at(-3600), "UnexpectedAdmissionError", "no GPU"),
            id="not admitted, at once",
        ),
        pytest.param(
            body("Failed", conditions=[DISRUPTED]),
            FailureView(NOW, "TerminationByKubelet", "low on memory"),
            id="only a condition says why",
        ),
        pytest.param(body("Failed"), FailureView(at(-3600), "PodFailed"), id="nothing says why"),
        pytest.param(
            body("Running", deleted=True, reason="NodeLost", message="gone", conditions=[UNREADY]),
            FailureView(at(-1800), "NodeLost", "gone"),
            id="its node is silent",
        ),
        pytest.param(
            body("Failed", deleted=True, conditions=[UNREADY]), None, id="deleted, and killed at its grace"
        ),
        pytest.param(body("Succeeded", deleted=True), None, id="deleted"),
        pytest.param(body("Running", conditions=[UNREADY]), None, id="it runs"),
    ],
)
def test_a_failed_pod_of_the_api_server(given: dict[str, Any], failure: FailureView | None) -> None:
    assert parse_pod(given).failure == failure


def test_since_when_a_pod_is_ready() -> None:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T12:00:00Z"}
    assert parse_pod(body("Running", conditions=[ready])).ready_since == NOW
    assert parse_pod(body("Running", conditions=[UNREADY])).ready_since is None
