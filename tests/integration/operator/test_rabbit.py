"""The operator's RabbitMQ, against a real one: what it makes, what it reads, whom it believes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pika
import pytest

from genpool_adapters.amqp import AmqpConnection
from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.read_topology import read_topology
from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import GatewayBacklog, WorkerHeartbeat
from genpool_core.topology.of_pool import wanted_topology
from genpool_core.topology.plan import BrokerUser, TopologyPlan, plan_topology
from genpool_core.topology.rights import gateway_permissions
from genpool_operator.adapters.rabbit import RabbitBrokers
from genpool_operator.decide.reading import read_queue
from genpool_operator.decide.workers import WorkerCounts
from integration.broker import Vhost, until
from integration.operator.provisioning import PASSWORD, QUEUE, UID, plan, settle
from integration.operator.test_pool import publish


def test_twice_is_once(api: ManagementApi, pool: GenerationPool, user: BrokerUser) -> None:
    assert len(plan(api, pool, user).steps) > 20
    settle(api, pool, user)
    assert plan(api, pool, user) == TopologyPlan()


@pytest.mark.parametrize("default", ["quorum", None])
def test_plain_producers_and_the_operator_agree(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost, default: str | None
) -> None:
    """Whoever comes first, and whatever type the vhost gives by default."""
    if default is not None:
        rabbitmq.api(
            "PUT", f"vhosts/{rabbitmq.name}", {"default_queue_type": default, "defaultqueuetype": default}
        )
    settle(api, pool, user)
    with rabbitmq.raw() as connection:
        connection.channel().queue_declare(queue=QUEUE, durable=True)
    rabbitmq.delete_queue(QUEUE)
    with rabbitmq.raw() as connection:
        connection.channel().queue_declare(queue=QUEUE, durable=True)
    assert plan(api, pool, user) == TopologyPlan()


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_what_is_rejected_is_kept_whatever_the_queues_type(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost, kind: str
) -> None:
    rabbitmq.queue(QUEUE, **{"x-queue-type": kind})
    settle(api, pool, user, gateway=False)
    until(
        lambda: read_topology(api, rabbitmq.name).queues[QUEUE].policy == names.work_policy(QUEUE),
        "the policy is in force",
    )
    with rabbitmq.raw() as connection:
        channel = connection.channel()
        channel.basic_publish("", QUEUE, b"{}")
        taken, _, _ = until(lambda: _got(channel, QUEUE), "the message")
        channel.basic_reject(taken.delivery_tag, requeue=False)
        _, _, body = until(lambda: _got(channel, names.dead_queue(QUEUE)), "the dead letter")
    assert body == b"{}"


def _got(channel: Any, queue: str) -> tuple[Any, Any, bytes] | None:  # noqa: ANN401 - pika has no types
    found: tuple[Any, Any, bytes] = channel.basic_get(queue)
    return None if found[0] is None else found


def test_what_others_changed_is_found_and_mended(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost
) -> None:
    settle(api, pool, user)
    step = names.retry_step(5)
    rabbitmq.policy(names.work_policy(QUEUE), "^nothing$", {"message-ttl": 1})
    rabbitmq.delete_queue(step)
    rabbitmq.api("PUT", f"users/{user.name}", {"password": "another", "tags": ""})
    rabbitmq.permit(user.name)
    assert len(plan(api, pool, user).steps) == 5
    settle(api, pool, user)
    assert plan(api, pool, user) == TopologyPlan()
    with (
        rabbitmq.raw(user.name, PASSWORD) as connection,
        pytest.raises(pika.exceptions.ChannelClosedByBroker),
    ):
        connection.channel().queue_declare("mine")


def test_a_policy_that_wins_over_ours_is_named(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost
) -> None:
    settle(api, pool, user)
    rabbitmq.policy("everything", ".*", {"max-length": 10}, priority=5000)

    def faults() -> tuple[str, ...]:
        return plan(api, pool, user).faults

    until(faults, "the policy is found")
    assert any(fault.startswith(f"Policy everything applies to queue {QUEUE}") for fault in faults())


@pytest.fixture
def brokers(broker: BrokerConfig, pool: GenerationPool, user: BrokerUser) -> Iterator[RabbitBrokers]:
    """Reading the pool's queues."""
    found = RabbitBrokers(lambda: datetime.now(UTC), lambda _uid, _whole: None)
    vhost = pool.spec.broker.vhost
    found.follow(broker, pool)
    facts = found.facts(broker, vhost, settled=True)
    found.provision(
        broker, vhost, plan_topology(wanted_topology(pool, facts.version, gateway=True), [user], facts).steps
    )
    found.facts(broker, vhost, settled=True)
    yield found
    found.stop()


def test_depths_are_read_in_both_ways(
    brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool, rabbitmq: Vhost
) -> None:
    def counted() -> int | None:
        answer = brokers.answers(broker, pool).counted
        return None if answer is None else answer.ready

    def listed() -> int | None:
        answer = brokers.answers(broker, pool).listed
        return answer.total if answer is not None and answer.good(datetime.now(UTC)) else None

    until(lambda: counted() == 0, "counted")
    until(lambda: listed() == 0, "listed")
    with rabbitmq.raw() as connection:
        for _ in range(3):
            connection.channel().basic_publish("", QUEUE, b"{}")
    until(lambda: counted() == 3, "3 counted", 3)
    until(lambda: listed() == 3, "3 listed", 20)
    health = brokers.answers(broker, pool).health
    assert health.management.fine
    assert health.amqp.fine


def heartbeat(state: str) -> bytes:
    now = datetime.now(UTC)
    beat = WorkerHeartbeat(
        id="1",
        pool=PoolRef(namespace="team", name="pictures", uid=UID),
        worker="pod-1",
        time=now,
        state=state,  # type: ignore[arg-type]
        since=now,
    )
    return beat.model_dump_json().encode()


def test_heartbeats_are_believed_only_from_the_pools_own_user(
    brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool, rabbitmq: Vhost
) -> None:
    rabbitmq.add_user(names.worker_user(UID, "0a1b2c3d"), PASSWORD)
    rabbitmq.add_user(names.worker_user("another-pool", "0a1b2c3d"), PASSWORD)
    key = names.event_routing_key(UID, "worker.heartbeat")

    def say(user: str, state: str) -> None:
        connection = AmqpConnection(rabbitmq.settings(username=user, password=PASSWORD))
        connection.start()
        connection.publish(OutgoingMessage(names.EVENTS_EXCHANGE, key, heartbeat(state)))
        connection.stop()

    def state() -> str | None:
        found = brokers.answers(broker, pool).workers.get("pod-1")
        return None if found is None else found.state

    until(lambda: _bound(rabbitmq), "the operator listens")
    say(names.worker_user("another-pool", "0a1b2c3d"), "busy")
    with rabbitmq.raw() as connection:
        # A producer that does not say who it is, and one that sends no heartbeat at all.
        connection.channel().basic_publish(names.EVENTS_EXCHANGE, key, heartbeat("busy"))
        connection.channel().basic_publish(names.EVENTS_EXCHANGE, key, json.dumps({"state": "busy"}).encode())
    say(names.worker_user(UID, "0a1b2c3d"), "idle")
    until(state, "a heartbeat")
    assert state() == "idle"
    say(names.worker_user(UID, "0a1b2c3d"), "busy")
    until(lambda: state() == "busy", "busy")


def test_a_backlog_is_believed_only_from_a_gateways_user(
    brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool, rabbitmq: Vhost
) -> None:
    gateway, worker = (
        names.gateway_user(hashlib.sha256(rabbitmq.name.encode()).hexdigest()[:8]),
        names.worker_user(UID, "0a1b2c3d"),
    )
    for user in (gateway, worker):
        rabbitmq.add_user(user, PASSWORD)
    rabbitmq.permit(gateway, **gateway_permissions([QUEUE]))
    key = names.event_routing_key(UID, "gateway.backlog")
    of = PoolRef(namespace="team", name="pictures", uid=UID)

    def say(user: str, cancelled: int) -> None:
        event = GatewayBacklog(id="1", pool=of, worker="", time=datetime.now(UTC), cancelled=cancelled)
        connection = AmqpConnection(rabbitmq.settings(username=user, password=PASSWORD))
        connection.start()
        body = event.model_dump_json().encode()
        connection.publish(OutgoingMessage(names.EVENTS_EXCHANGE, key, body))
        connection.stop()

    def cancelled() -> int | None:
        found = brokers.answers(broker, pool).backlog
        return None if found is None else found.cancelled

    until(lambda: _bound(rabbitmq), "the operator listens")
    say(worker, 9)
    say(gateway, 2)
    until(cancelled, "the backlog")
    assert cancelled() == 2


def _bound(rabbitmq: Vhost) -> bool:
    path = f"exchanges/{rabbitmq.name}/{names.EVENTS_EXCHANGE}/bindings/source"
    keys = {row["routing_key"] for row in rabbitmq.api("GET", path)}
    return {"*.worker.heartbeat", "*.gateway.backlog"} <= keys


def test_a_queue_that_was_deleted_is_not_empty(
    brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool, rabbitmq: Vhost
) -> None:
    until(lambda: brokers.answers(broker, pool).counted, "counted")
    rabbitmq.delete_queue(QUEUE)
    until(lambda: _counted(brokers, broker, pool) is None, "not there")
    until(lambda: brokers.answers(broker, pool).listed is None, "not listed")
    assert _reading(brokers, broker, pool) == (None, None)


def test_tasks_of_a_queue_that_was_deleted_are_not_those_of_the_next(
    brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool, rabbitmq: Vhost
) -> None:
    """The list goes on telling of them for a while."""
    publish(rabbitmq, 3)
    until(lambda: brokers.answers(broker, pool).counted, "counted")
    until(lambda: _counted(brokers, broker, pool) == 3, "counted")
    until(lambda: (listed := brokers.answers(broker, pool).listed) and listed.ready == 3, "listed")
    rabbitmq.delete_queue(QUEUE)
    until(lambda: _counted(brokers, broker, pool) is None, "not there")
    assert _reading(brokers, broker, pool) == (None, None)
    rabbitmq.queue(QUEUE, **{"x-queue-type": "quorum"})
    until(lambda: _counted(brokers, broker, pool) == 0, "counted anew")
    seen = set()

    def known_again() -> bool:
        seen.add(_reading(brokers, broker, pool))
        return (0, 0) in seen

    until(known_again, "known again", 30)
    assert {at_least for at_least, _ in seen} <= {None, 0}


def _counted(brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool) -> int | None:
    counted = brokers.answers(broker, pool).counted
    assert counted is not None
    return counted.ready


def _reading(
    brokers: RabbitBrokers, broker: BrokerConfig, pool: GenerationPool
) -> tuple[int | None, int | None]:
    """How many tasks are there, at least and at most."""
    answers = brokers.answers(broker, pool)
    reading = read_queue(answers.listed, None, answers.counted, WorkerCounts(), datetime.now(UTC))
    return reading.at_least, reading.at_most
