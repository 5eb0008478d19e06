"""What a pod shows, on a real API server and a real RabbitMQ: it counts, and stays when the pod is gone."""

from __future__ import annotations

from datetime import UTC, datetime

from genpool_adapters.amqp import AmqpConnection
from genpool_core import names
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import WorkerHeartbeat
from integration.broker import Vhost, until
from integration.operator.harness import Json, Kubectl, OperatorProcess, pool_manifest
from integration.operator.test_pool import drain, publish

SENTENCE = "the bucket results at http://s3 refused (InvalidAccessKeyId): the access key is unknown."


class Workers:
    """The heartbeats of a pool's pods, which cannot start here."""

    def __init__(self, kubectl: Kubectl, vhost: Vhost) -> None:
        (username, password), meta = kubectl.login(), kubectl.pool()["metadata"]
        self._kubectl = kubectl
        self._pool = PoolRef(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"])
        self._connection = AmqpConnection(vhost.settings(username=username, password=password))
        self._connection.start()

    def wait_for(self, reason: str, message: str) -> None:
        """All of them say that they wait."""
        for pod in self._kubectl.items("pods"):
            beat = WorkerHeartbeat(
                id="1",
                pool=self._pool,
                worker=pod["metadata"]["name"],
                time=datetime.now(UTC),
                state="starting",
                since=datetime.now(UTC),
                reason=reason,
                message=message,
            )
            key = names.event_routing_key(self._pool.uid, "worker.heartbeat")
            body = beat.model_dump_json().encode()
            self._connection.publish(OutgoingMessage(names.EVENTS_EXCHANGE, key, body))

    def close(self) -> None:
        self._connection.stop()


def test_what_workers_wait_for_is_told_and_stays(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    assert kubectl.wait_condition("Ready", "True")["reason"] == "NotProven"
    publish(rabbitmq, 1)
    kubectl.wait_replicas(1)
    workers = Workers(kubectl, rabbitmq)

    def told() -> Json | None:
        workers.wait_for("StorageUnavailable", SENTENCE)
        found = kubectl.condition("Ready")
        return found if found["reason"] == "StorageUnavailable" else None

    try:
        found = until(told, "the pool says what its workers wait for", 30)
        assert found is not None
        assert found["status"] == "False"
        assert SENTENCE in found["message"]
        drain(rabbitmq)
        until(lambda: told() and kubectl.replicas() == 0, "no pod is wanted", 60)
    finally:
        workers.close()
    until(lambda: not kubectl.items("pods"), "the pods are gone", 60)
    assert kubectl.condition("Ready")["reason"] == "StorageUnavailable"
    operator.stop()
    operator.start()
    gone = "No pod has shown since that this is mended."
    until(lambda: kubectl.condition("Ready")["message"].endswith(gone), "the next operator knows", 30)
    assert kubectl.condition("Ready")["reason"] == "StorageUnavailable"
