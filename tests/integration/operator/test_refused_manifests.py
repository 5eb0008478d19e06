"""Manifests that cannot work: the schema refuses them with a sentence, or the pool says what Kubernetes refused."""

from __future__ import annotations

import pytest

from integration.broker import Vhost, until
from integration.operator.harness import Json, Kubectl, OperatorProcess, holds, pool_manifest
from integration.operator.test_pool import publish


def comfyui(**changes: object) -> Json:
    """The ComfyUI part of a pool whose pods cannot start."""
    return {"image": "genpool.test/none", "imagePullPolicy": "Never", "resources": {}, **changes}


def refused(kubectl: Kubectl, rabbitmq: Vhost, **changes: object) -> str:
    return kubectl.apply(pool_manifest(rabbitmq.name, **changes), fails=True)


@pytest.mark.usefixtures("cluster")
def test_wrong_manifests_are_refused_with_a_sentence(kubectl: Kubectl, rabbitmq: Vhost) -> None:
    assert 'unknown field "spec.queue.nmae"' in refused(kubectl, rabbitmq, queue={"name": "q", "nmae": "q"})
    assert "lower minReplicas or raise maxReplicas" in refused(
        kubectl, rabbitmq, scaling={"minReplicas": 3, "maxReplicas": 2}
    )
    assert 'spec.comfyui.resources.limits.memory: Invalid value: "16GB"' in refused(
        kubectl, rabbitmq, comfyui=comfyui(resources={"limits": {"memory": "16GB"}})
    )
    assert "more than 255 bytes in UTF-8" in refused(kubectl, rabbitmq, queue={"name": "任" * 86})
    assert "workflows is empty: list at least one" in refused(kubectl, rabbitmq, workflows=[])
    assert "set scaling.replicas" in refused(kubectl, rabbitmq, scaling={"mode": "Pinned"})
    assert "set security.allowGraphsWithPodIdentity to true" in refused(
        kubectl, rabbitmq, security={"allowGraphs": True}
    )
    folder = {"path": "/srv/results"}
    for storage, says in (
        ({}, "type S3 needs the block s3"),
        ({"s3": {"bucket": "results"}, "folder": folder}, "type S3 needs the block s3"),
        ({"type": "Folder", "s3": {"bucket": "results"}}, "type Folder needs the block folder"),
        ({"type": "Folder", "folder": {"path": "/srv/../etc"}}, "spec.storage.folder.path"),
    ):
        assert says in refused(kubectl, rabbitmq, storage=storage)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("security", "keys"),
    [({}, {"credentials": {"name": "bucket-keys"}}), ({"allowGraphsWithPodIdentity": True}, {})],
    ids=["keys", "an explicit yes"],
)
def test_graphs_are_allowed(kubectl: Kubectl, rabbitmq: Vhost, security: Json, keys: Json) -> None:
    storage = {"s3": {"bucket": "results", **keys}}
    kubectl.apply(pool_manifest(rabbitmq.name, security={"allowGraphs": True, **security}, storage=storage))


def test_results_in_a_folder_are_refused_with_what_to_do(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    storage = {"type": "Folder", "folder": {"path": "/srv/results"}}
    kubectl.apply(pool_manifest(rabbitmq.name, storage=storage, security={"allowGraphs": True}))
    found = kubectl.wait_condition("Accepted", "False")
    assert found["reason"] == "FolderStorage"
    assert "Give storage.type S3" in found["message"]
    assert kubectl.get("deployment", "pictures-worker") is None
    assert not operator.lines("reconcile_crashed")
    kubectl.apply(pool_manifest(rabbitmq.name, storage={"s3": {"bucket": "results"}}))
    kubectl.wait_condition("Accepted", "True")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"template": {"tolerations": [{"key": "gpu", "operator": "Sometimes"}]}}, "Sometimes"),
        ({"worker": {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}}, 'key [name="A"]'),
        ({"worker": {"resources": {"requests": {"cpu": [1]}}}}, "requests.cpu"),
        ({"template": {"affinity": {"nodeAffinity": [1]}}}, "nodeAffinity"),
        (
            {"comfyui": comfyui(models={"volume": {"emptyDir": {"sizeLimit": "16GB"}}})},
            "quantities must match",
        ),
    ],
    ids=["invalid", "twice", "a list for an amount", "a list of numbers", "no quantity"],
)
def test_what_kubernetes_refuses_is_said_and_mended_by_the_user(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess, changes: Json, says: str
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name, **changes))
    found = kubectl.wait_condition("Accepted", "False")
    assert found["reason"] == "KubernetesRefused"
    assert found["message"].startswith("Kubernetes refuses Deployment pictures-worker: ")
    assert says in found["message"]
    assert kubectl.condition("Ready")["status"] == "False"
    publish(rabbitmq, 2)
    holds(lambda: not kubectl.replicas(), 4, "no pod of a Deployment that was never applied")
    assert not operator.lines("reconcile_crashed")
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Accepted", "True")
    kubectl.wait_replicas(2)
    generation = kubectl.pool()["metadata"]["generation"]
    until(lambda: kubectl.pool()["status"]["observedGeneration"] == generation, "it is observed")


def test_an_edit_that_kubernetes_refuses_leaves_what_runs_and_says_so(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    before = kubectl.get("deployment", "pictures-worker")
    volume = {"emptyDir": {"sizeLimit": "16GB"}}
    kubectl.apply(pool_manifest(rabbitmq.name, comfyui=comfyui(models={"volume": volume})))
    found = kubectl.wait_condition("Accepted", "False")
    assert found["reason"] == "KubernetesRefused"
    after = kubectl.get("deployment", "pictures-worker")
    assert before is not None
    assert after is not None
    assert after["spec"] == before["spec"]
    publish(rabbitmq, 1)
    kubectl.wait_replicas(1)
    assert not operator.lines("reconcile_crashed")
    until(lambda: len(kubectl.events("KubernetesRefused")) == 1, "KubernetesRefused is told, and not again")
    assert not operator.lines("reconcile_crashed")
