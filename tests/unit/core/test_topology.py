"""What goes onto the broker, for each line of versions."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from genpool_core import names, timing
from genpool_core.topology.desired import (
    EVENTS_MAX,
    Queue,
    Topology,
    Version,
    WorkQueueOptions,
    gateway_topology,
    intake_topology,
    parse_version,
    pool_topology,
    vhost_topology,
)
from genpool_core.topology.plan import join
from genpool_core.topology.rights import gateway_permissions, named_reads, worker_permissions

V3_10, V3_12, V4_0, V4_3 = (3, 10, 8), (3, 12, 0), (4, 0, 0), (4, 3, 6)
VERSIONS: list[Version] = [V3_10, V3_12, V4_0, V4_3]
SETTINGS = WorkQueueOptions("generation_tasks", None, None, 600)
UNDER_A_GATEWAY = replace(SETTINGS, janitor=True)


def whole(version: Version) -> tuple[Topology, ...]:
    """All that there may be in a vhost."""
    return (
        vhost_topology(version),
        gateway_topology(version, enabled=True),
        pool_topology(UNDER_A_GATEWAY, version),
        intake_topology("photo_repair_tasks", version),
    )


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
def test_while_there_is_a_gateway_its_janitor_gets_what_rabbitmq_dead_letters(version: Version) -> None:
    """What workers bury themselves goes to the dead-letter queue as ever, so that the two are not mixed."""
    with_one, without = pool_topology(UNDER_A_GATEWAY, version), pool_topology(SETTINGS, version)
    assert definition(with_one, "generation_tasks") == {
        **definition(without, "generation_tasks"),
        "dead-letter-routing-key": "genpool.janitor",
    }
    assert definition(with_one, "generation_tasks.dead") == definition(without, "generation_tasks.dead")
    assert with_one.queues == without.queues


@pytest.mark.parametrize("version", VERSIONS)
def test_the_gateways_queues(version: Version) -> None:
    topology = gateway_topology(version, enabled=True)
    quorum = {"x-queue-type": "quorum"}
    assert topology.queues == (Queue("genpool.gateway.events", quorum), Queue("genpool.janitor", quorum))
    unlimited = {"delivery-limit": -1} if version >= V4_0 else {}
    assert definition(topology, "genpool.gateway.events") == {
        "max-length": EVENTS_MAX,
        "overflow": "drop-head",
        **unlimited,
    }
    assert definition(topology, "genpool.janitor") == {"overflow": "reject-publish", **unlimited}
    assert {(item.exchange, item.queue, item.routing_key) for item in topology.bindings} == {
        ("genpool.events", "genpool.gateway.events", f"*.task.{event}")
        for event in ("claimed", "output", "retried", "ended")
    }
    assert topology.unwanted == ()


def test_without_a_gateway_nothing_more_comes_into_its_queues() -> None:
    with_one, without = (gateway_topology(V4_3, enabled=enabled) for enabled in (True, False))
    assert without == Topology(unwanted=with_one.bindings)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_intake_is_bare_and_has_a_dead_letter_queue_of_its_own(version: Version) -> None:
    topology = intake_topology("photo_repair_tasks", version)
    assert topology.queues == (
        Queue("photo_repair_tasks.dead", {"x-queue-type": "quorum"}),
        Queue("photo_repair_tasks", {}),
    )
    assert definition(topology, "photo_repair_tasks") == {
        "dead-letter-exchange": "",
        "dead-letter-routing-key": "photo_repair_tasks.dead",
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
        "delivery-limit": timing.DELIVERY_LIMIT,
    }
    unlimited = {"delivery-limit": -1} if version >= V4_0 else {}
    assert definition(topology, "photo_repair_tasks.dead") == {"overflow": "reject-publish", **unlimited}


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
    for policy in (policy for topology in whole(version) for policy in topology.policies):
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
        "max-length",
        "message-ttl",
        "overflow",
    } | ({"consumer-timeout"} if version >= V3_12 else set())
    for topology in whole(version):
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
    topology = join(*whole(version))
    queues = [queue.name for queue in topology.queues]
    exchanges = [exchange.name for exchange in topology.exchanges]
    policies = topology.policies
    assert len(set(queues)) == len(queues)
    assert len(set(exchanges)) == len(exchanges)
    assert len({policy.name for policy in policies}) == len(policies)
    for queue in queues:
        assert sum(re.search(policy.pattern, queue) is not None for policy in policies) == 1
    for binding in topology.bindings:
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
        ("configure", "genpool.commands.6c5e-1.pod-0", True),
        ("write", "genpool.commands.6c5e-1.pod-0", True),
        ("read", "genpool.commands.6c5e-1.pod-0", True),
        ("read", "genpool.control", True),
        ("configure", "genpool.control", False),
        ("configure", "genpool.commands.6c5e-2.pod-0", False),
        ("read", "genpool.commands.6c5e-2.pod-0", False),
        ("read", "genpool.commands.6c5e-1", False),
        ("read", "genpool.events", False),
        ("write", "amq.topic", False),
        ("write", "amqXdefault", False),
        ("write", "genpool.events.more", False),
    ],
)
def test_rights_of_the_workers(right: str, resource: str, *, granted: bool) -> None:
    pattern = worker_permissions("generation.tasks", "6c5e-1")[right]
    assert (re.search(pattern, resource) is not None) is granted


@pytest.mark.parametrize(
    ("right", "resource", "granted"),
    [
        ("configure", "genpool.watch.0a1b", True),
        ("configure", "genpool.callbacks", False),
        ("configure", "genpool.watchX0a1b", False),
        ("configure", "generation.tasks", False),
        ("read", "genpool.callbacks", True),
        ("read", "genpool.callbacks.dead", True),
        ("read", "genpool.gateway.events", True),
        ("read", "genpool.events", True),
        ("read", "genpool.janitor", True),
        ("read", "genpool.watch.0a1b", True),
        ("read", "genpool.retry.5s", False),
        ("read", "genpool.janitor.dead", False),
        ("read", "generation.tasks", True),
        ("read", "generation.tasks.dead", True),
        ("read", "generation.tasks.dead.dead", False),
        ("read", "generationXtasks", False),
        ("read", "generation.tasks.deadly", False),
        ("read", "照片|.*", True),
        ("read", "anything", False),
        ("write", "amq.default", True),
        ("write", "genpool.retry.30s", True),
        ("write", "genpool.callbacks", True),
        ("write", "genpool.events", True),
        ("write", "genpool.control", True),
        ("write", "genpool.watch.0a1b", True),
        ("write", "genpool.janitor", False),
        ("write", "generation.tasks", False),
        ("write", "amq.topic", False),
    ],
)
def test_rights_of_the_gateway(right: str, resource: str, *, granted: bool) -> None:
    pattern = gateway_permissions(["generation.tasks", "照片|.*"])[right]
    assert (re.search(pattern, resource) is not None) is granted


def test_without_a_pool_the_gateway_reads_its_own_queues_alone() -> None:
    pattern = gateway_permissions()["read"]
    assert re.search(pattern, "genpool.janitor")
    for other in ("", ".dead", "generation_tasks", "generation_tasks.dead"):
        assert not re.search(pattern, other), other


def test_rights_are_the_same_in_whatever_order_the_pools_come() -> None:
    assert gateway_permissions(["a", "b", "a"]) == gateway_permissions(["b", "a"])


def test_a_dead_letter_queue_whose_name_is_cut_is_read_too() -> None:
    long = "q" * 254
    pattern = gateway_permissions([long])["read"]
    for queue in (long, names.dead_queue(long)):
        assert re.search(pattern, queue)
    assert names.dead_queue(long) != f"{long}.dead"


@pytest.mark.parametrize(
    "queues", [[f"team-{n:03}-tasks" for n in range(500)], [letter * 80 for letter in "照片修复"]]
)
def test_queues_too_many_to_be_named_are_read_with_all_others_of_the_vhost(queues: list[str]) -> None:
    rights = gateway_permissions(queues)
    assert all(len(pattern.encode()) <= 1024 for pattern in rights.values())
    for queue in (*queues, names.dead_queue(queues[0]), "another", "genpool.janitor", "genpool.watch.0a1b"):
        assert re.search(rights["read"], queue), queue
    for queue in ("genpool.retry.5s", "genpool.commands.uid.pod", "amq.topic", "amq.gen-1", ""):
        assert not re.search(rights["read"], queue), queue


def test_the_queues_of_forty_pools_can_be_named() -> None:
    pattern = named_reads(f"photo-{n:02}-tasks" for n in range(40))
    assert pattern is not None
    assert not re.search(pattern, "photo-40-tasks")


def test_queues_to_watch_by_have_the_names_that_the_rights_allow() -> None:
    assert re.search(gateway_permissions()["configure"], names.watch_queue("0a1b"))
