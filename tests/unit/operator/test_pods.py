"""What pods say, and which of them a scale-in should take."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_operator.decide.deletion_cost import deletion_costs
from genpool_operator.decide.objects import parse_deployment, parse_pod
from genpool_operator.decide.pod_health import assess_pods
from genpool_operator.decide.pods import ContainerView, PodView
from unit.operator.pools import NOW, at, pod, worker


def waiting(reason: str, message: str = "", *, finished: bool = False, **changes: object) -> PodView:
    return pod(
        "p-1",
        ready=False,
        finished=finished,
        containers=(ContainerView("comfyui", waiting=reason, waiting_message=message, **changes),),
    )


FULL = pod("full", ready=False, unschedulable_since=at(-30), unschedulable_message="0/3 nodes.")
UNSCHEDULABLE = {"ready": False, "unschedulable_message": "0/3 nodes: 3 Insufficient nvidia.com/gpu."}


@pytest.mark.parametrize(
    ("pods", "wanted", "refused", "health", "reason", "blocking", "says"),
    [
        ([], 0, None, "none", "NoneWanted", False, "No pod is wanted now."),
        ([pod("a")], 1, None, "ready", "AllReady", False, "1 pod is ready."),
        ([pod("a"), pod("b")], 2, None, "ready", "AllReady", False, "2 pods are ready."),
        ([], 1, None, "starting", "Starting", False, "0 of 1 pods are ready; the others are starting."),
        ([pod("a", ready=False)], 1, None, "starting", "Starting", False, "0 of 1 pods"),
        ([pod("a", terminating=True)], 0, None, "none", "NoneWanted", False, "No pod is wanted now."),
        ([pod("a", ready=False, finished=True)], 1, None, "starting", "Starting", False, "0 of 1"),
        ([waiting("CrashLoopBackOff", finished=True)], 1, None, "starting", "Starting", False, "0 of 1"),
        ([pod("a")], 0, None, "ready", "AllReady", False, "1 pod is ready."),
        ([FULL, waiting("CrashLoopBackOff")], 2, None, "failing", "CrashLoopBackOff", True, "keeps crashing"),
        (
            [waiting("ImagePullBackOff", "no such image x")],
            1,
            None,
            "failing",
            "ImagePullBackOff",
            True,
            "Container comfyui of pod p-1 cannot start (ImagePullBackOff): no such image x",
        ),
        (
            [waiting("CrashLoopBackOff", ended="OOMKilled", exit_code=137, restarts=4)],
            1,
            None,
            "failing",
            "CrashLoopBackOff",
            True,
            (
                "Container comfyui of pod p-1 keeps crashing (OOMKilled, exit code 137, 4 restarts): "
                "kubectl -n team logs p-1 -c comfyui --previous"
            ),
        ),
        (
            [waiting("CrashLoopBackOff"), pod("b")],
            2,
            None,
            "failing",
            "CrashLoopBackOff",
            False,
            "(1 of 2 pods are ready.)",
        ),
        ([waiting("PodInitializing")], 1, None, "starting", "Starting", False, "0 of 1"),
        (
            [pod("a", unschedulable_since=at(-30), **UNSCHEDULABLE)],
            1,
            None,
            "failing",
            "Unschedulable",
            False,
            "Pod a finds no node: 0/3 nodes: 3 Insufficient nvidia.com/gpu.",
        ),
        (
            [pod("a", unschedulable_since=at(-601), **UNSCHEDULABLE)],
            1,
            None,
            "failing",
            "Unschedulable",
            True,
            "no node",
        ),
        (
            [],
            2,
            "exceeded quota: gpus",
            "failing",
            "PodsRefused",
            True,
            "Kubernetes creates no pod: exceeded quota: gpus",
        ),
        ([pod("a")], 2, "exceeded quota", "failing", "PodsRefused", False, "exceeded quota"),
        ([pod("a")], 1, "exceeded quota", "ready", "AllReady", False, "1 pod is ready."),
    ],
)
def test_health(
    pods: list[PodView],
    wanted: int,
    refused: str | None,
    health: str,
    reason: str,
    *,
    blocking: bool,
    says: str,
) -> None:
    verdict = assess_pods(pods, wanted, refused, NOW)
    assert (verdict.health, verdict.reason, verdict.blocking) == (health, reason, blocking)
    assert says in verdict.message


@pytest.mark.parametrize(
    "reason",
    [
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    ],
)
def test_what_does_not_mend_itself_by_waiting(reason: str) -> None:
    verdict = assess_pods([waiting(reason)], 1, None, NOW)
    assert (verdict.health, verdict.reason, verdict.blocking) == ("failing", reason, True)


def test_costs_are_written_only_where_they_differ() -> None:
    pods = [
        pod("idle"),
        pod("idle-already", deletion_cost=0),
        pod("busy"),
        pod("busy-long"),
        pod("silent"),
        pod("starting", ready=False),
        pod("leaving", terminating=True),
    ]
    states = {
        "idle": worker("idle"),
        "idle-already": worker("idle"),
        "busy": worker("busy", since=-5),
        "busy-long": worker("busy", since=-90_000),
        "leaving": worker("busy"),
    }
    assert deletion_costs(pods, states, NOW) == {
        "idle": 0,
        "busy": 15,
        "busy-long": 86_410,
        "silent": 5,
        "starting": 0,
    }


def test_a_pod_of_the_api_server() -> None:
    body: dict[str, Any] = {
        "metadata": {
            "name": "p-1",
            "namespace": "team",
            "resourceVersion": "7",
            "labels": {"app.kubernetes.io/instance": "pictures"},
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"},
            "deletionTimestamp": "2026-03-01T12:00:00Z",
        },
        "status": {
            "phase": "Pending",
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "no node",
                    "lastTransitionTime": "2026-03-01T12:00:00Z",
                },
                {"type": "Ready", "status": "False"},
            ],
            "initContainerStatuses": [
                {
                    "name": "comfyui",
                    "restartCount": 2,
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                    "lastState": {"terminated": {"reason": "Error", "exitCode": 1}},
                }
            ],
        },
    }
    assert parse_pod(body) == PodView(
        name="p-1",
        namespace="team",
        instance="pictures",
        resource_version="7",
        terminating=True,
        unschedulable_since=NOW,
        unschedulable_message="no node",
        deletion_cost=-5,
        containers=(ContainerView("comfyui", 2, "CrashLoopBackOff", "back-off", "Error", 1),),
    )
    assert parse_pod({}) == PodView("", "", "")


def test_a_deployments_fingerprint_follows_all_but_its_replicas() -> None:
    def fingerprint(**spec: object) -> str:
        return parse_deployment(
            {"metadata": {}, "spec": {"replicas": 1, "paused": False, **spec}}
        ).fingerprint

    assert fingerprint(replicas=5) == fingerprint()
    assert fingerprint(paused=True) != fingerprint()


def test_why_kubernetes_makes_no_pods() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    view = parse_deployment({"metadata": {}, "spec": {}, "status": {"conditions": [condition]}})
    assert view.refused == "exceeded quota"
    assert view.wanted == 1
