"""The operator in trouble: a broker that is away, manifests that cannot work, things that others changed or deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genpool_core import names, timing
from integration.broker import Vhost, until
from integration.operator.harness import ROOT, Json, Kubectl, OperatorProcess, holds, pool_manifest
from integration.operator.test_pool import QUEUE, drain, publish
from support.tcpproxy import TcpProxy

TEMPLATE = (ROOT / "workflows/text-to-image/template.json").read_text()
PARAMETERS = (ROOT / "workflows/text-to-image/workflow.yaml").read_text()


def test_a_broker_that_is_away_holds_the_replicas(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess, proxies: tuple[TcpProxy, TcpProxy]
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    publish(rabbitmq, 2)
    kubectl.wait_replicas(2)
    for proxy in proxies:
        proxy.cut()
    drain(rabbitmq)
    lost = kubectl.wait_condition("BrokerReachable", "False")
    assert lost["reason"] == "BrokerUnreachable"
    assert "does not answer" in lost["message"]
    assert kubectl.condition("Ready")["status"] == "False"
    kubectl.wait_condition("ScalingActive", "Unknown")
    held = "The depth of the queue is unknown: 2 pods are kept until it can be read."
    until(lambda: kubectl.condition("ScalingActive")["message"] == held, "the status says why", 40)
    holds(lambda: kubectl.replicas() == 2, 5, "2 replicas")
    for proxy in proxies:
        proxy.mend()
    kubectl.wait_condition("BrokerReachable", "True")
    kubectl.wait_replicas(0)
    until(lambda: len(kubectl.events("BrokerLost")) == 1, "BrokerLost is told, and not again")
    until(lambda: len(kubectl.events("BrokerRegained")) == 1, "BrokerRegained is told, and not again")
    assert rabbitmq.server.password not in operator.log.read_text()


@pytest.mark.parametrize("way", [0, 1], ids=["amqp", "management"])
def test_one_way_to_the_broker_is_not_enough_to_scale_in(
    kubectl: Kubectl,
    rabbitmq: Vhost,
    operator: OperatorProcess,
    proxies: tuple[TcpProxy, TcpProxy],
    way: int,
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    publish(rabbitmq, 2)
    kubectl.wait_replicas(2)
    proxies[way].cut()
    drain(rabbitmq)
    kubectl.wait_condition("BrokerReachable", "False")
    holds(lambda: kubectl.replicas() == 2, 8, "2 replicas")
    # But it is enough to scale out.
    publish(rabbitmq, 3)
    kubectl.wait_replicas(3)
    assert not operator.lines("reconcile_crashed")


def test_a_workflow_from_a_users_config_map(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    source = {"configMap": {"name": "mine", "key": "a.json", "parametersKey": "a.yaml"}}
    kubectl.apply(pool_manifest(rabbitmq.name, workflows=[{"name": "我的", "source": source}]))
    missing = kubectl.wait_condition("Accepted", "False")
    assert missing["reason"] == "InvalidWorkflow"
    assert (
        missing["message"]
        == f"workflow 我的: there is no ConfigMap mine in namespace {kubectl.namespace}: make it."
    )
    assert kubectl.replicas() is None

    kubectl.apply(config_map({"a.json": TEMPLATE, "a.yaml": PARAMETERS}))
    kubectl.wait_condition("Ready", "True", seconds=60)
    assert not operator.failed_looks
    data = copied(kubectl)
    assert TEMPLATE in data.values()
    assert "我的" in data["pool.json"]

    # One of the editor's format: the pool says so, and what runs is left alone.
    kubectl.apply(config_map({"a.json": '{"nodes": []}', "a.yaml": PARAMETERS}))
    wrong = kubectl.wait_condition("Accepted", "False", seconds=60)
    assert "Export it with Export (API)" in wrong["message"]
    assert copied(kubectl) == data
    publish(rabbitmq, 1)
    kubectl.wait_replicas(1)
    until(lambda: len(kubectl.events("InvalidWorkflow")) == 2, "InvalidWorkflow is told, and not again")


def config_map(data: dict[str, str]) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": data}


def copied(kubectl: Kubectl) -> dict[str, str]:
    found = kubectl.get("configmap", "pictures-workflows")
    assert found is not None
    return dict(found["data"])


def test_deleting_a_pool_takes_its_objects_and_its_user_and_leaves_its_queues(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    user, _ = kubectl.login()
    publish(rabbitmq, 2)
    kubectl.wait_replicas(2)
    kubectl("delete", "generationpool", "pictures", "--timeout=20s")
    for kind in ("deployments", "pods"):
        until(lambda kind=kind: not kubectl.items(kind), f"no {kind}", 60)
    for name in (names.WORKER_LOGINS, names.CALLBACK_SECRETS):
        until(lambda name=name: kubectl.get("secret", name) is None, f"no Secret {name}", 60)
    until(lambda: rabbitmq.api("GET", f"users/{user}", missing_ok=True) is None, "the user is gone", 60)
    assert rabbitmq.ready(QUEUE) == 2
    assert not operator.lines("reconcile_crashed")


def test_the_same_name_again(kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    first = kubectl.pool()["metadata"]["uid"]
    kubectl("delete", "generationpool", "pictures", "--timeout=20s")
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True", seconds=60)
    second = kubectl.pool()["metadata"]["uid"]
    assert first != second

    def renewed() -> bool:
        secret = kubectl.get("secret", names.WORKER_LOGINS) or {"metadata": {}}
        owners = [item["uid"] for item in secret["metadata"].get("ownerReferences", [])]
        return owners == [second] and names.pool_of_user(kubectl.login()[0]) == second

    # Kubernetes may have removed the Secret with its first owner in the meantime.
    until(renewed, "the new pool's login", timing.SECRET_APPLY_SECONDS + 30)
    assert rabbitmq.api("GET", f"users/{kubectl.login()[0]}")
    assert not operator.lines("reconcile_crashed")


def test_without_an_operator_a_pool_can_still_be_deleted(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    publish(rabbitmq, 1)
    kubectl.wait_replicas(1)
    operator.stop()
    kubectl("delete", "generationpool", "pictures", "--timeout=20s")
    for kind in ("deployments", "pods"):
        until(lambda kind=kind: not kubectl.items(kind), f"no {kind}", 60)
    until(lambda: kubectl.get("secret", names.WORKER_LOGINS) is None, "no Secret", 60)


def test_what_others_change_or_delete_is_mended(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    kubectl("set", "image", "deployment/pictures-worker", "worker=genpool.test/other")

    def image() -> str:
        found = kubectl.get("deployment", "pictures-worker")
        assert found is not None
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    until(lambda: image() == "genpool.test/worker", "the image is back")
    label = "app.kubernetes.io/part-of"
    kubectl("label", "deployment", "pictures-worker", f"{label}-", f"{names.LABEL_INSTANCE}-")
    kubectl("label", "configmap", "pictures-workflows", f"{label}-")

    def labels(kind: str, name: str) -> set[str]:
        found = kubectl.get(kind, name)
        assert found is not None
        return set(found["metadata"].get("labels", {}))

    ours = set(names.pool_labels("pictures"))
    until(lambda: labels("deployment", "pictures-worker") >= ours, "its labels are back", 60)
    until(lambda: labels("configmap", "pictures-workflows") >= ours, "those of the ConfigMap too", 60)
    publish(rabbitmq, 1)
    kubectl.wait_replicas(1)
    drain(rabbitmq)
    kubectl.wait_replicas(0)
    kubectl("delete", "deployment", "pictures-worker")
    until(lambda: kubectl.replicas() == 0, "the Deployment is back, with no pod")
    kubectl("delete", "configmap", "pictures-workflows")
    until(lambda: kubectl.get("configmap", "pictures-workflows"), "the ConfigMap is back", 60)
    rabbitmq.delete_queue(QUEUE)
    until(
        lambda: rabbitmq.api("GET", f"queues/{rabbitmq.name}/{QUEUE}", missing_ok=True),
        "the queue is back",
        60,
    )
    assert kubectl.replicas() == 0
    assert not operator.lines("reconcile_crashed")


def test_a_deployment_of_somebody_else_is_left_alone(
    kubectl: Kubectl, rabbitmq: Vhost, stopped_operator: OperatorProcess
) -> None:
    kubectl("create", "deployment", "pictures-worker", "--image=genpool.test/theirs", "--replicas=0")
    kubectl.apply(pool_manifest(rabbitmq.name))
    stopped_operator.start()
    taken = kubectl.wait_condition("Accepted", "False")
    assert taken["reason"] == "NameTaken"
    assert taken["message"].startswith("Deployment pictures-worker is there and is not this pool's")
    publish(rabbitmq, 2)
    holds(lambda: kubectl.replicas() == 0, 4, "their Deployment is not scaled")


def test_the_older_pool_keeps_the_queue(kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    until(lambda: _older_than_a_second(kubectl), "creation times differ")
    kubectl.apply(pool_manifest(rabbitmq.name, name="second"))
    taken = kubectl.wait_condition("Accepted", "False", "second")
    assert taken["message"].startswith(
        f"Queue {QUEUE} belongs to the older pool {kubectl.namespace}/pictures"
    )
    kubectl("delete", "generationpool", "pictures", "--timeout=20s")
    kubectl.wait_condition("Ready", "True", "second", seconds=60)
    assert not operator.lines("reconcile_crashed")


def _older_than_a_second(kubectl: Kubectl) -> bool:
    """Creation times have whole seconds."""
    kubectl.apply(config_map({}))
    found = kubectl.get("configmap", "mine")
    assert found is not None
    kubectl("delete", "configmap", "mine")
    return bool(found["metadata"]["creationTimestamp"] > kubectl.pool()["metadata"]["creationTimestamp"])


def test_a_vhost_that_is_missing_is_made(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    name = f"{rabbitmq.name}-new"
    try:
        kubectl.apply(pool_manifest(name))
        kubectl.wait_condition("Ready", "True")
        queues = {item["name"]: item["type"] for item in rabbitmq.api("GET", f"queues/{name}")}
        assert queues[QUEUE] == "quorum"
        assert not operator.lines("reconcile_crashed")
    finally:
        rabbitmq.api("DELETE", f"vhosts/{name}", missing_ok=True)


def test_a_vhost_that_is_not_open_to_pools(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest("secret"))
    refused = kubectl.wait_condition("Accepted", "False")
    assert refused["reason"] == "VhostNotAllowed"
    assert rabbitmq.name in refused["message"]
    assert rabbitmq.api("GET", "vhosts/secret", missing_ok=True) is None
    assert kubectl.replicas() is None
    assert not operator.failed_looks


def test_a_broker_that_refuses_the_operator(
    kubectl: Kubectl, rabbitmq: Vhost, stopped_operator: OperatorProcess, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("wrong")
    kubectl.apply(pool_manifest(rabbitmq.name))
    stopped_operator.start()
    refused = kubectl.wait_condition("BrokerReachable", "False")
    assert refused["reason"] == "BrokerRefused"
    assert "check the broker's Secret" in refused["message"]
    # A rotated password counts without a restart.
    (tmp_path / "password").write_text(rabbitmq.server.password)
    kubectl.wait_condition("Ready", "True", seconds=90)


def test_a_conflict_on_the_broker_says_what_to_do(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    step = names.retry_step(5)
    rabbitmq.queue(step, **{"x-queue-type": "classic"})
    kubectl.apply(pool_manifest(rabbitmq.name))
    conflict = kubectl.wait_condition("TopologyReady", "False")
    until(lambda: kubectl.condition("TopologyReady")["reason"] == "TopologyConflict", "the conflict is told")
    conflict = kubectl.condition("TopologyReady")
    assert f"Queue {step} is of type classic, it must be quorum" in conflict["message"]
    assert kubectl.condition("Ready")["status"] == "False"
    rabbitmq.delete_queue(step)
    kubectl.wait_condition("Ready", "True", seconds=120)
    assert json.dumps(kubectl.pool()["status"]).count("classic") == 0
    assert not operator.lines("reconcile_crashed")


def test_an_operator_that_cannot_list_is_not_ready_and_need_not_restart(
    stopped_operator: OperatorProcess, tmp_path: Path
) -> None:
    nobody = {
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "a", "user": {"token": "made-up"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(nobody))
    stopped_operator.environment["KUBECONFIG"] = str(tmp_path / "kubeconfig")
    stopped_operator.start()
    answer = stopped_operator.ask("readyz")
    assert (answer.status_code, answer.text) == (503, "pools are not listed yet: see the log for why.\n")
    assert stopped_operator.ask("healthz").text == "ok\n"
    until(lambda: "Kubernetes does not answer" in stopped_operator.log.read_text(), "the log says why")
