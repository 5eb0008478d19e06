"""The operator against a real API server and a real RabbitMQ: a pool's life."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genpool_core import names
from genpool_core.topology.rights import worker_permissions
from integration.broker import Vhost, until
from integration.operator.harness import Kubectl, OperatorProcess, holds, pool_manifest

QUEUE = "generation_tasks"


def publish(vhost: Vhost, number: int, queue: str = QUEUE) -> None:
    """As plain producers do: declare bare, publish through the default exchange."""
    with vhost.raw() as connection:
        channel = connection.channel()
        channel.queue_declare(queue=queue, durable=True)
        for _ in range(number):
            channel.basic_publish("", queue, b"{}")


def drain(vhost: Vhost, queue: str = QUEUE) -> None:
    """All at once: between two messages that are taken one by one the operator may find that fewer pods are enough."""
    vhost.purge(queue)


@contextmanager
def watched_pods(kubectl: Kubectl, log: Path) -> Iterator[None]:
    """Every pod that shows up in the meantime, in a file."""
    command = [
        str(kubectl.info.kubectl),
        f"--kubeconfig={kubectl.info.kubeconfig}",
        f"--context={kubectl.info.context}",
    ]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [*command, "get", "pods", "-n", kubectl.namespace, "--watch", "-o", "name"], stdout=out
        ) as process,
    ):
        try:
            yield
            assert process.poll() is None, "the watch has ended: an empty file proves nothing"
        finally:
            process.terminate()


def test_a_new_pool_at_zero_starts_no_pod_and_is_ready(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess, tmp_path: Path
) -> None:
    with watched_pods(kubectl, tmp_path / "pods"):
        kubectl.apply(pool_manifest(rabbitmq.name))
        ready = kubectl.wait_condition("Ready", "True")
        kubectl.wait_condition("ScalingActive", "True")
        assert "a pod is started for it" in ready["message"]
        # A full pass applies everything again, and still no pod is wanted.
        kubectl.apply(pool_manifest(rabbitmq.name, worker={"env": [{"name": "A", "value": "1"}]}))
        kubectl.wait_condition("Ready", "True")
    assert not (tmp_path / "pods").read_text()
    pool, deployment = kubectl.pool(), kubectl.get("deployment", "pictures-worker")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 0
    assert "finalizers" not in pool["metadata"]
    assert pool["status"]["selector"] == names.selector_text("pictures")
    for kind, name in (
        ("configmap", "pictures-workflows"),
        ("secret", names.WORKER_LOGINS),
        ("secret", names.CALLBACK_SECRETS),
    ):
        found = kubectl.get(kind, name)
        assert found is not None
        assert found["metadata"]["ownerReferences"][0]["uid"] == pool["metadata"]["uid"]
    user, _ = kubectl.login()
    assert names.pool_of_user(user) == pool["metadata"]["uid"]
    rights = rabbitmq.api("GET", f"permissions/{rabbitmq.name}/{user}")
    assert {key: rights[key] for key in ("configure", "write", "read")} == worker_permissions(
        "generation_tasks", pool["metadata"]["uid"]
    )
    queues = {item["name"]: item["type"] for item in rabbitmq.api("GET", f"queues/{rabbitmq.name}")}
    assert queues["generation_tasks.dead"] == "quorum"
    assert queues[names.retry_step(5)] == "quorum"
    assert operator.ask("healthz").text == "ok\n"
    until(lambda: operator.ask("readyz").text == "ok\n", "it is ready")


def test_the_password_in_the_secret_opens_the_queue(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    publish(rabbitmq, 1)
    login = kubectl.login()
    with rabbitmq.raw(*login) as connection:
        assert connection.channel().basic_get(QUEUE, auto_ack=True)[2] == b"{}"
    assert login[1] not in operator.log.read_text()


def test_ten_applies_with_a_changed_template_keep_the_replicas(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    publish(rabbitmq, 2)
    kubectl.wait_replicas(2)
    for number in range(10):
        env = [{"name": "NUMBER", "value": str(number)}] if number % 2 else []
        kubectl.apply(
            pool_manifest(rabbitmq.name, worker={"env": env, "image": f"genpool.test/worker:{number}"})
        )
        image = f"genpool.test/worker:{number}"

        def applied(image: str = image) -> bool:
            deployment = kubectl.get("deployment", "pictures-worker")
            assert deployment is not None
            assert deployment["spec"]["replicas"] == 2
            worker = deployment["spec"]["template"]["spec"]["containers"][0]
            variables = [item["name"] for item in worker["env"]]
            return bool(worker["image"] == image) and ("NUMBER" in variables) is bool(number % 2)  # noqa: B023 - called at once

        until(applied, f"template {number} is applied")
    holds(lambda: kubectl.replicas() == 2, 3, "2 replicas")
    assert not operator.failed_looks


def test_tasks_bring_pods_and_their_end_takes_them_away(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    publish(rabbitmq, 5)
    kubectl.wait_replicas(3)
    # It scales first, and then says so.
    until(lambda: kubectl.pool()["status"]["scaling"]["desired"] == 3, "the status tells of it")
    scaling = kubectl.pool()["status"]["scaling"]
    assert scaling["message"] == "5 tasks waiting need 5 pods at 1 task per pod; capped at maxReplicas 3."
    assert scaling["lastScaleTime"]
    # At once or by steps: it may look between two of the messages.
    told = f"to 3 pods: {scaling['message']}"

    def messages() -> list[str]:
        return [item["message"] for item in kubectl.events("ScaledOut")]

    until(lambda: any(message.endswith(told) for message in messages()), "an event tells of it")
    assert sum(message.startswith("From 0 to ") for message in messages()) == 1
    drain(rabbitmq)
    kubectl.wait_replicas(0)
    until(lambda: len(kubectl.events("ScaledIn")) == 1, "an event tells of it")
    until(lambda: kubectl.pool()["status"]["scaling"]["desired"] == 0, "the status tells of it")
    line = f'genpool_pool_desired_replicas{{namespace="{kubectl.namespace}",pool="pictures"}} 0.0'
    until(lambda: line in operator.ask("metrics").text, "a metric tells of it")


def test_what_nothing_changed_writes_nothing(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    kubectl.wait_condition("ScalingActive", "True")
    until(lambda: kubectl.pool()["status"]["queue"].get("waiting") == 0, "the queue is known")

    def versions() -> list[str]:
        objects = [
            ("generationpool", "pictures"),
            ("deployment", "pictures-worker"),
            ("configmap", "pictures-workflows"),
            ("secret", names.WORKER_LOGINS),
            ("secret", names.CALLBACK_SECRETS),
        ]
        found = [kubectl.get(*item) for item in objects]
        return [item["metadata"]["resourceVersion"] for item in found if item is not None]

    settled: list[list[str]] = []

    def quiet() -> bool:
        settled.append(versions())
        return len(settled) >= 10 and len({tuple(item) for item in settled[-10:]}) == 1

    until(quiet, "no more writes", 40)
    before = versions()
    # A second look at the whole, by a restart: everything is applied once more, and nothing differs.
    operator.stop()
    operator.start()
    until(
        lambda: operator.ask("metrics").text.count('genpool_reconcile_seconds_count{whole="true"} '),
        "a full pass",
    )
    holds(lambda: versions()[1:] == before[1:], 5, "the objects are as they were")


def test_killed_in_the_middle_it_converges_when_it_is_back(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    operator.kill()
    publish(rabbitmq, 2)
    kubectl.apply(pool_manifest(rabbitmq.name, worker={"image": "genpool.test/worker:new"}))
    kubectl("delete", "configmap", "pictures-workflows")
    operator.start()
    kubectl.wait_replicas(2)
    until(lambda: kubectl.get("configmap", "pictures-workflows"), "the ConfigMap is back")
    deployment = kubectl.get("deployment", "pictures-worker")
    assert deployment is not None
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "genpool.test/worker:new"


@pytest.mark.long
@pytest.mark.parametrize("kills", [1, 2, 3])
def test_killed_while_a_pool_is_made(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess, tmp_path: Path, kills: int
) -> None:
    with watched_pods(kubectl, tmp_path / "pods"):
        kubectl.apply(pool_manifest(rabbitmq.name))
        for number in range(kills):
            # At another point each time: after the user, after the Deployment, after the ConfigMap.
            kind, name = (
                ("secret", names.WORKER_LOGINS),
                ("deployment", "pictures-worker"),
                ("configmap", "pictures-workflows"),
            )[number]
            until(lambda kind=kind, name=name: kubectl.get(kind, name), f"{kind} {name}")
            operator.kill()
            operator.start()
        kubectl.wait_condition("Ready", "True")
    assert not (tmp_path / "pods").read_text()
