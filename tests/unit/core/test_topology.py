"""What goes onto the broker, for each line of versions."""

from __future__ import annotations

import re

import pytest

from genpool_core import names, timing
from genpool_core.topology.desired import (
    Queue,
    Topology,
    Version,
    WorkQueueOptions,
    gateway_permissions,
    parse_version,
    pool_topology,
    vhost_topology,
    worker_permissions,
)

V3_10, V3_12, V4_0, V4_3 = (3, 10, 8), (3, 12, 0), (4, 0, 0), (4, 3, 6)
VERSIONS: list[Version] = [V3_10, V3_12, V4_0, V4_3]
SETTINGS = WorkQueueOptions("generation_tasks", None, None, 600)


def definition(topology: Topology, queue: str) -> dict[str, object]:
    """The definition of the one policy on a queue."""
    found = [policy for policy in topology.policies if policy.queue == queue]
    assert len(found) == 1
    return dict(found[0].definition)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("4.3.6", (4, 3, 6)),
        ("3.10.8", (3, 10, 8)),
        ("4.0.5+1.g1234567", (4, 0, 5)),
        ("4.2.0-rc.1", (4, 2, 0)),
        ("3.13.7.9", (3, 13, 7)),
        ("4.1", (4, 1, 0)),
        ("4", (4, 0, 0)),
        ("", (0, 0, 0)),
    ],
)
def test_version(text: str, version: Version) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("version", VERSIONS)
def test_the_exchanges_of_a_vhost(version: Version) -> None:
    steps = {names.retry_step(seconds): "fanout" for seconds in timing.RETRY_STEPS}
    assert {item.name: item.type for item in vhost_topology(version).exchanges} == {
        "genpool.events": "topic",
        "genpool.control": "topic",
        "genpool.callbacks": "direct",
        **steps,
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_work_queue_is_as_plain_producers_declare_it(version: Version) -> None:
    assert Queue("generation_tasks", {}) in pool_topology(SETTINGS, version).queues


@pytest.mark.parametrize(
    ("version", "differs"),
    [
        (V3_10, {}),
        (V3_12, {"consumer-timeout": 4_200_000}),
        (V4_0, {"consumer-timeout": 4_200_000}),
        (V4_3, {"consumer-timeout": 4_200_000}),
    ],
)
def test_policy_of_the_work_queue(version: Version, differs: dict[str, object]) -> None:
    assert definition(pool_topology(SETTINGS, version), "generation_tasks") == {
        "dead-letter-exchange": "",
        "dead-letter-routing-key": "generation_tasks.dead",
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
        "delivery-limit": timing.DELIVERY_LIMIT,
        **differs,
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_times_are_in_milliseconds(version: Version) -> None:
    settings = WorkQueueOptions(
        "q", message_ttl_seconds=60, dead_retention_seconds=3600, longest_run_seconds=1
    )
    topology = pool_topology(settings, version)
    assert definition(topology, "q")["message-ttl"] == 60_000
    assert definition(topology, "q.dead")["message-ttl"] == 3_600_000


@pytest.mark.parametrize("version", VERSIONS)
def test_only_queues_with_a_dead_letter_target_have_a_last_net(version: Version) -> None:
    """Where there is no target, RabbitMQ would delete what is over the limit."""
    for policy in (*vhost_topology(version).policies, *pool_topology(SETTINGS, version).policies):
        limit = policy.definition.get("delivery-limit", -1)
        has_target = "dead-letter-routing-key" in policy.definition
        assert limit == (timing.DELIVERY_LIMIT if has_target else -1), policy.name
    assert timing.DELIVERY_LIMIT >= 200


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dead_letter_queue_keeps_everything(version: Version) -> None:
    """From 4.0 a quorum queue drops what was given back 20 times, which is what looking at messages does."""
    unlimited = {"delivery-limit": -1} if version >= V4_0 else {}
    for topology, queue in (
        (pool_topology(SETTINGS, version), "generation_tasks.dead"),
        (vhost_topology(version), names.CALLBACKS_DEAD_QUEUE),
    ):
        assert definition(topology, queue) == {"overflow": "reject-publish", **unlimited}


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_the_version_does_not_know(version: Version) -> None:
    """An unknown key makes the broker refuse the policy."""
    known = {
        "dead-letter-exchange",
        "dead-letter-routing-key",
        "dead-letter-strategy",
        "delivery-limit",
        "message-ttl",
        "overflow",
    } | ({"consumer-timeout"} if version >= V3_12 else set())
    for topology in (vhost_topology(version), pool_topology(SETTINGS, version)):
        for policy in topology.policies:
            assert policy.definition.keys() <= known
            for queue in topology.queues:
                assert set(queue.arguments) <= {"x-queue-type"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_delay_step_keeps_what_it_cannot_deliver(version: Version) -> None:
    topology = vhost_topology(version)
    for seconds in timing.RETRY_STEPS:
        step = names.retry_step(seconds)
        assert definition(topology, step) == {
            "message-ttl": seconds * 1000,
            "dead-letter-exchange": "",
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
        }
        assert [item.type for item in topology.exchanges if item.name == step] == ["fanout"]
        assert Queue(step, {"x-queue-type": "quorum"}) in topology.queues
        assert [item.queue for item in topology.bindings if item.exchange == step] == [step]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_parts_fit_together(version: Version) -> None:
    vhost, pool = vhost_topology(version), pool_topology(SETTINGS, version)
    queues = [queue.name for queue in (*vhost.queues, *pool.queues)]
    exchanges = [exchange.name for exchange in vhost.exchanges]
    policies = [*vhost.policies, *pool.policies]
    assert len(set(queues)) == len(queues)
    assert len(set(exchanges)) == len(exchanges)
    assert len({policy.name for policy in policies}) == len(policies)
    for queue in queues:
        assert sum(re.search(policy.pattern, queue) is not None for policy in policies) == 1
    for binding in vhost.bindings:
        assert binding.exchange in exchanges
        assert binding.queue in queues
    for policy in policies:
        target = policy.definition.get("dead-letter-routing-key")
        assert target is None or target in queues


@pytest.mark.parametrize("queue", ["a.b", "a+b", "任务", "a|.*", "a b", "(", "$"])
def test_a_pattern_fits_its_queue_only(queue: str) -> None:
    settings = WorkQueueOptions(queue, None, None, 1)
    patterns = [policy.pattern for policy in pool_topology(settings, V4_3).policies if policy.queue == queue]
    assert len(patterns) == 1
    assert re.search(patterns[0], queue)
    for other in (f"{queue}x", f"x{queue}", "axb", queue[:-1], "other"):
        assert not re.search(patterns[0], other), other


@pytest.mark.parametrize(
    ("right", "resource", "granted"),
    [
        ("configure", "generation.tasks", False),
        ("configure", "anything", False),
        ("read", "generation.tasks", True),
        ("read", "generationXtasks", False),
        ("read", "generation.tasks.dead", False),
        ("read", "photo_repair_tasks", False),
        ("write", "amq.default", True),
        ("write", "genpool.events", True),
        ("write", "genpool.callbacks", True),
        ("write", "genpool.retry.5s", True),
        ("write", "genpool.control", False),
        ("write", "amq.topic", False),
        ("write", "amqXdefault", False),
        ("write", "genpool.events.more", False),
    ],
)
def test_rights_of_the_workers(right: str, resource: str, *, granted: bool) -> None:
    pattern = worker_permissions("generation.tasks")[right]
    assert (re.search(pattern, resource) is not None) is granted


@pytest.mark.parametrize(
    ("right", "resource", "granted"),
    [
        ("configure", "genpool.callbacks", False),
        ("read", "genpool.callbacks", True),
        ("read", "genpool.callbacks.dead", False),
        ("read", "generation_tasks", False),
        ("write", "amq.default", True),
        ("write", "genpool.retry.30s", True),
        ("write", "genpool.callbacks", False),
        ("write", "genpool.events", False),
    ],
)
def test_rights_of_the_gateway(right: str, resource: str, *, granted: bool) -> None:
    assert (re.search(gateway_permissions()[right], resource) is not None) is granted
