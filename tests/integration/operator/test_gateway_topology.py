"""What the operator makes for the gateway, on a real RabbitMQ: its queues, what comes into them, and its rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest

from genpool_adapters.amqp import AmqpConnection
from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.read_topology import read_topology
from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.topology.desired import STATE_EVENTS
from genpool_core.topology.plan import BrokerUser, TopologyPlan
from genpool_core.topology.rights import PATTERN_BYTES, gateway_permissions, named_reads
from integration.broker import Vhost, until
from integration.operator.provisioning import PASSWORD, QUEUE, UID, plan, settle

DEAD = names.dead_queue(QUEUE)


def in_force(api: ManagementApi, vhost: str, target: str) -> bool:
    """Whether the work queue's policy is there, and RabbitMQ applies it."""
    facts = read_topology(api, vhost)
    policy = names.work_policy(QUEUE)
    applied = facts.queues[QUEUE].policy == policy
    return applied and facts.policies[policy].definition["dead-letter-routing-key"] == target


def bound(api: ManagementApi, vhost: str) -> set[str]:
    bindings = read_topology(api, vhost).bindings
    return {
        item.routing_key for item in bindings if item.queue == names.GATEWAY_EVENTS_QUEUE and item.exchange
    }


def test_a_gateway_that_comes_goes_and_comes_again(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost
) -> None:
    keys = {f"*.{event}" for event in STATE_EVENTS}
    settle(api, pool, user, gateway=False)
    assert plan(api, pool, user, gateway=False) == TopologyPlan()
    assert (
        not {names.GATEWAY_EVENTS_QUEUE, names.JANITOR_QUEUE}
        & read_topology(api, rabbitmq.name).queues.keys()
    )
    settle(api, pool, user)
    assert plan(api, pool, user) == TopologyPlan()
    assert bound(api, rabbitmq.name) == keys
    for queue in (names.GATEWAY_EVENTS_QUEUE, names.JANITOR_QUEUE):
        with rabbitmq.raw() as connection:
            connection.channel().basic_publish("", queue, b"kept")
    settle(api, pool, user, gateway=False)
    assert plan(api, pool, user, gateway=False) == TopologyPlan()
    assert bound(api, rabbitmq.name) == set()
    until(lambda: in_force(api, rabbitmq.name, DEAD), "the dead-letter queue is the target")
    say(rabbitmq, user.name, "task.ended")
    for queue in (names.GATEWAY_EVENTS_QUEUE, names.JANITOR_QUEUE):
        until(lambda queue=queue: rabbitmq.ready(queue) == 1, f"{queue} keeps what it has, and gets no more")
    settle(api, pool, user)
    assert plan(api, pool, user) == TopologyPlan()
    assert bound(api, rabbitmq.name) == keys


@pytest.mark.parametrize("kind", ["quorum", "classic"])
@pytest.mark.parametrize(
    ("gateway", "target", "other"), [(True, names.JANITOR_QUEUE, DEAD), (False, DEAD, None)]
)
def test_a_task_that_expires_comes_to_the_janitor_where_there_is_a_gateway(
    api: ManagementApi,
    pool: GenerationPool,
    user: BrokerUser,
    rabbitmq: Vhost,
    kind: str,
    *,
    gateway: bool,
    target: str,
    other: str | None,
) -> None:
    rabbitmq.queue(QUEUE, **{"x-queue-type": kind})
    settle(api, pool, user, gateway=gateway)
    until(lambda: in_force(api, rabbitmq.name, target), "the policy is in force")
    with rabbitmq.raw() as connection:
        # As a producer may give it: shorter than the pool's.
        short = pika.BasicProperties(delivery_mode=2, expiration="50", headers={"mine": "kept"})
        connection.channel().basic_publish("", QUEUE, b"{}", short)
    properties, body = until(lambda: rabbitmq.get(target), "the expired task")
    death = properties.headers["x-death"][0]
    assert (death["queue"], death["reason"], death["count"]) == (QUEUE, "expired", 1)
    assert properties.headers["mine"] == "kept"
    assert body == b"{}"
    assert other is None or rabbitmq.ready(other) == 0


def say(vhost: Vhost, username: str, event: str) -> None:
    """As a worker announces it: persistent, confirmed, with its own user in it."""
    connection = AmqpConnection(vhost.settings(username=username, password=PASSWORD))
    connection.start()
    key = names.event_routing_key(UID, event)
    connection.publish(OutgoingMessage(names.EVENTS_EXCHANGE, key, event.encode(), mandatory=False))
    connection.stop()


def test_states_of_tasks_come_into_the_events_queue_and_nothing_else(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost
) -> None:
    settle(api, pool, user)
    others = ("task.progress", "task.preview", "task.accepted", "worker.heartbeat", "gateway.backlog")
    for event in (*others, *STATE_EVENTS):
        say(rabbitmq, user.name, event)
    found = [until(lambda: rabbitmq.get(names.GATEWAY_EVENTS_QUEUE), event) for event in STATE_EVENTS]
    assert [body.decode() for _, body in found] == [*STATE_EVENTS]
    assert {properties.user_id for properties, _ in found} == {user.name}
    assert rabbitmq.ready(names.GATEWAY_EVENTS_QUEUE) == 0


# Rights -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def gateway(
    api: ManagementApi, pool: GenerationPool, user: BrokerUser, rabbitmq: Vhost
) -> Iterator[pika.BlockingConnection]:
    """A connection of the gateway's user, with the rights that it has for one pool."""
    settle(api, pool, user)
    name = names.gateway_user("0a1b2c3d") + rabbitmq.name
    rabbitmq.add_user(name, PASSWORD)
    rabbitmq.permit(name, **gateway_permissions([QUEUE]))
    for queue in ("photo_repair_tasks", "photo_repair_tasks.dead"):
        rabbitmq.queue(queue)
    with rabbitmq.raw(name, PASSWORD) as connection:
        yield connection


def test_the_gateway_can_do_what_it_needs(gateway: pika.BlockingConnection, rabbitmq: Vhost) -> None:
    channel = gateway.channel()
    channel.confirm_delivery()
    watch = names.watch_queue("0a1b")
    channel.queue_declare(watch, exclusive=True)
    channel.queue_bind(watch, names.EVENTS_EXCHANGE, "*.task.progress")
    for queue in (
        QUEUE,
        DEAD,
        watch,
        names.GATEWAY_EVENTS_QUEUE,
        names.JANITOR_QUEUE,
        names.CALLBACKS_QUEUE,
        names.CALLBACKS_DEAD_QUEUE,
    ):
        channel.basic_publish("", queue, queue.encode(), mandatory=True)
        _, _, body = until(lambda queue=queue: got(channel, queue), queue)
        assert body == queue.encode()
    for exchange in (
        names.EVENTS_EXCHANGE,
        names.CONTROL_EXCHANGE,
        names.CALLBACKS_EXCHANGE,
        names.retry_step(5),
    ):
        channel.basic_publish(exchange, QUEUE, b"{}")
    key = names.event_routing_key(UID, "task.progress")
    channel.basic_publish(names.EVENTS_EXCHANGE, key, b"half", mandatory=True)
    assert until(lambda: got(channel, watch), "its progress")[2] == b"half"
    assert rabbitmq.ready("photo_repair_tasks") == 0


def got(channel: Any, queue: str) -> tuple[Any, Any, bytes] | None:  # noqa: ANN401 - pika has no types
    found: tuple[Any, Any, bytes] = channel.basic_get(queue, auto_ack=True)
    return None if found[0] is None else found


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda channel: channel.queue_declare("mine"), id="declares a queue"),
        pytest.param(lambda channel: channel.queue_delete(QUEUE), id="deletes a pool's queue"),
        pytest.param(lambda channel: channel.queue_delete(names.JANITOR_QUEUE), id="deletes its own queue"),
        pytest.param(lambda channel: channel.exchange_declare("mine"), id="declares an exchange"),
        pytest.param(lambda channel: channel.basic_get("photo_repair_tasks"), id="reads another queue"),
        pytest.param(lambda channel: channel.basic_get("photo_repair_tasks.dead"), id="and its dead letters"),
        pytest.param(lambda channel: channel.basic_get(names.retry_step(5)), id="reads a delay step"),
        pytest.param(
            lambda channel: channel.queue_bind(QUEUE, names.EVENTS_EXCHANGE, "#"), id="fills a pool's queue"
        ),
        pytest.param(lambda channel: publish(channel, "amq.topic"), id="publishes elsewhere"),
        pytest.param(
            lambda channel: channel.queue_unbind(
                names.GATEWAY_EVENTS_QUEUE, names.EVENTS_EXCHANGE, "*.task.ended"
            ),
            id="takes a binding away",
        ),
    ],
)
def test_the_gateway_can_do_nothing_else(
    gateway: pika.BlockingConnection, act: Callable[[Any], None]
) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
        act(gateway.channel())
    assert refused.value.reply_code == 403


def publish(channel: Any, exchange: str) -> None:  # noqa: ANN401 - pika has no types
    channel.confirm_delivery()
    channel.basic_publish(exchange, "x", b"{}")


def names_that_fit(letter: str) -> list[str]:
    """Names whose rights have as many bytes as RabbitMQ takes, to a letter."""
    found: list[str] = []
    while named_reads([*found, f"{len(found):04}"]):
        found.append(f"{len(found):04}")
    while (longer := named_reads([*found[:-1], found[-1] + letter])) and len(
        longer.encode()
    ) <= PATTERN_BYTES:
        found[-1] += letter
    return found


@pytest.mark.parametrize(
    "queues",
    [names_that_fit("q"), names_that_fit("照"), [f"tasks-{n}" for n in range(500)], [".+( |*照片"] * 3],
)
def test_rabbitmq_takes_the_rights_for_as_many_queues_as_there_are(
    gateway: pika.BlockingConnection, rabbitmq: Vhost, queues: list[str]
) -> None:
    rabbitmq.permit(names.gateway_user("0a1b2c3d") + rabbitmq.name, **gateway_permissions(queues))
    for queue in (queues[-1], names.dead_queue(queues[0])):
        rabbitmq.queue(queue)
        gateway.channel().basic_get(queue)
    for queue in (names.retry_step(5), *(["photo_repair_tasks"] if named_reads(queues) else [])):
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            gateway.channel().basic_get(queue)
