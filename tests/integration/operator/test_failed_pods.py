"""A pod that Kubernetes ended is told with Kubernetes' reason, on pods of a real ReplicaSet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integration.broker import Vhost, until
from integration.operator.harness import Json, Kubectl, pool_manifest

SELECTOR = "app.kubernetes.io/instance=pictures"
SAID = 'Usage of EmptyDir volume "scratch" exceeds the limit "1Gi". '


@pytest.fixture
def never_starting(kubectl: Kubectl) -> Iterator[str]:
    """A runtime that no node has: its pods are on a node and get no further, as those that pull a large image."""
    name = kubectl.namespace
    kubectl.apply(
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": name},
            "handler": "none-such",
        }
    )
    yield name
    kubectl("delete", "runtimeclass", name, "--wait=false")


def phases(kubectl: Kubectl) -> dict[str, str]:
    """The pods, oldest first, and their phases."""
    pods = sorted(kubectl.items("pods", SELECTOR), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
    return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in pods}


def evict(kubectl: Kubectl, count: int) -> bool:
    """Write what the kubelet writes when a volume is over its limit, into so many pods of the pool.

    Called again and again: a status of the real kubelet that was under way may overwrite ours.
    """
    found = phases(kubectl)
    failed = sum(phase == "Failed" for phase in found.values())
    for name in [name for name, phase in found.items() if phase != "Failed"][: count - failed]:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        disrupted = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": now}
        status = {"phase": "Failed", "reason": "Evicted", "message": SAID, "conditions": [disrupted]}
        patch = json.dumps({"status": status})
        # Another pod may be in its place by now.
        kubectl("patch", "pod", name, "--subresource=status", "--type=strategic", "-p", patch, fails=None)
    return failed == count and len(found) > count


@pytest.mark.usefixtures("operator")
def test_evictions_are_told_and_a_second_one_in_a_row_is_an_outage(
    kubectl: Kubectl, rabbitmq: Vhost, never_starting: str
) -> None:
    pinned: Json = {"mode": "Pinned", "replicas": 1}
    kubectl.apply(pool_manifest(rabbitmq.name, scaling=pinned, template={"runtimeClassName": never_starting}))

    def told(kind: str, evicted: int) -> Json:
        def there() -> bool:
            return evict(kubectl, evicted) and kubectl.condition(kind).get("reason") == "Evicted"

        until(there, f"{kind} says that {evicted} were evicted", 60)
        return kubectl.condition(kind)

    workers = told("WorkersReady", 1)
    assert workers["status"] == "False"
    assert f" failed (Evicted): {SAID.strip()} Where it used too much, raise comfyui." in workers["message"]
    assert workers["message"].endswith(" Another pod takes its place.")
    assert kubectl.condition("Ready")["status"] == "True"

    ready = told("Ready", 2)
    assert ready["status"] == "False"
    # Behind it may stand that this was so: where the kubelet's status hides ours, the pool remembers.
    assert "2 pods failed within 20 minutes." in ready["message"]
    # One for each time that it became so: the kubelet's status may have hidden ours in between.
    told_of = [event["message"] for event in kubectl.events("WorkersFailing")]
    assert told_of
    assert all("(Evicted)" in message for message in told_of), told_of
