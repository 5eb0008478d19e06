"""What Kubernetes refuses, whatever the status code, and what only passes. Bodies as a 1.35 server writes them."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core.errors import ClusterError, GenPoolError, InvalidManifest
from genpool_core.kube.objects import StatusBody
from genpool_core.kube.refusals import is_refusal, is_taken
from unit.operator.world import World

QUANTITY = (
    "failed to convert new object (team/d; apps/v1, Kind=Deployment) to proper version: unable to convert "
    "unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression '^…$'"
)
TYPED = "failed to create typed patch object (team/d; apps/v1, Kind=Deployment): .spec.template: expected map"


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        pytest.param(500, {"message": QUANTITY}, True, id="16GB"),
        pytest.param(500, {"message": TYPED}, True, id="a list for a map"),
        pytest.param(
            500, {"message": "failed calling webhook x", "reason": "InternalError"}, True, id="hook"
        ),
        pytest.param(400, {"message": "no", "reason": "BadRequest"}, True, id="400"),
        pytest.param(403, {"message": "exceeded quota", "reason": "Forbidden"}, True, id="quota"),
        pytest.param(413, {"message": "Request entity too large"}, True, id="too large"),
        pytest.param(422, {"message": "is invalid", "reason": "Invalid"}, True, id="422"),
        pytest.param(500, {"message": "etcdserver: request timed out"}, False, id="etcd"),
        pytest.param(500, {"message": "rpc error: code = Unavailable"}, False, id="etcd is away"),
        pytest.param(500, {"message": "x", "reason": "ServerTimeout"}, False, id="a slow server"),
        pytest.param(500, {"message": "x", "details": {"retryAfterSeconds": 1}}, False, id="says again"),
        pytest.param(401, {"message": "Unauthorized", "reason": "Unauthorized"}, False, id="login"),
        pytest.param(404, {"message": "namespaces x not found", "reason": "NotFound"}, False, id="gone"),
        pytest.param(409, {"message": "conflict", "reason": "Conflict"}, False, id="conflict"),
        pytest.param(429, {"message": "too many", "reason": "TooManyRequests"}, False, id="429"),
        pytest.param(503, {"message": "x", "reason": "ServiceUnavailable"}, False, id="503"),
        pytest.param(504, {"message": "x", "reason": "Timeout"}, False, id="504"),
        pytest.param(500, {"kind": "", "message": "page"}, False, id="a proxy"),
        pytest.param(403, {"kind": "", "message": ""}, False, id="a proxy that forbids"),
    ],
)
def test_is_refusal(status: int, body: dict[str, Any], *, refusal: bool) -> None:
    assert is_refusal(status, StatusBody.read_object({"kind": "Status", **body})) is refusal


@pytest.mark.parametrize(
    ("details", "taken"),
    [
        ({"causes": [{"reason": "FieldManagerConflict", "field": ".data.a.username"}]}, True),
        ({"causes": [{"reason": "FieldValueInvalid"}]}, False),
        ({"causes": "x"}, False),
        ({}, False),
    ],
)
def test_is_taken(details: dict[str, Any], *, taken: bool) -> None:
    assert is_taken(StatusBody.read_object({"kind": "Status", "details": details})) is taken


def refuse(world: World) -> None:
    """Kubernetes takes everything but the whole Deployment."""
    message = f"Kubernetes refuses Deployment pictures-worker: {QUANTITY}"
    world.cluster.refuse["Deployment"] = ClusterError(message, status=500, refusal=True)


def test_nothing_is_scaled_that_was_never_applied() -> None:
    """The Deployment that is made first has one container and no ComfyUI."""
    world = World()
    refuse(world)
    world.put(scaling={"minReplicas": 1, "maxReplicas": 2})
    world.tasks(2)
    for _ in range(3):
        with pytest.raises(InvalidManifest):
            world.look(later=5)
        world.look(full=False, later=1)
    assert world.replicas == 0
    assert not [call for call in world.cluster.calls if call.startswith("scale")]
    told = world.condition("Accepted")
    assert (told.status, told.reason) == ("False", "KubernetesRefused")
    assert "quantities must match" in told.message
    assert world.condition("Ready").status == "False"
    assert world.status.observed_generation == 1
    world.restart()
    with pytest.raises(InvalidManifest):
        world.look(full=False, later=1)
    assert world.replicas == 0
    world.cluster.refuse.clear()
    world.tasks(2)
    world.look()
    world.look(full=False, later=1)
    assert world.replicas == 2
    assert world.condition("Accepted").status == "True"


def test_an_edit_that_is_refused_leaves_what_runs_and_says_so() -> None:
    world = World()
    world.put(scaling={"maxReplicas": 2})
    world.tasks(1)
    world.look()
    world.look(full=False, later=1)
    before = world.cluster.objects["Deployment", "pictures-worker"]["spec"]["template"]
    refuse(world)
    world.put(generation=2, scaling={"maxReplicas": 2}, comfyui={"image": "example/comfyui:other"})
    with pytest.raises(InvalidManifest):
        world.look(later=1)
    assert world.condition("Accepted").reason == "KubernetesRefused"
    assert world.condition("Accepted").observed_generation == 2
    assert world.cluster.objects["Deployment", "pictures-worker"]["spec"]["template"] == before
    world.tasks(2)
    world.look(full=False, later=1)
    assert world.replicas == 2, "what runs is still scaled"


def test_a_scale_that_is_refused_is_told() -> None:
    world = World()
    world.put()
    world.tasks(0)
    world.look()
    world.tasks(1)
    said = "Kubernetes refuses Deployment pictures-worker: policy says no"
    world.cluster.fail["scale"] = [ClusterError(said, status=403, refusal=True)]
    with pytest.raises(GenPoolError):
        world.look(full=False, later=1)
    told = world.condition("ScalingActive")
    assert (told.status, told.reason, told.message) == ("False", "KubernetesRefused", said)
    assert world.condition("Ready").reason == "KubernetesRefused"
    world.look(full=False, later=1)
    assert world.replicas == 1
    assert world.condition("ScalingActive").status == "True"
