"""A pool's intake: its condition, its queue on the broker, and what is in force."""

from __future__ import annotations

import pytest

from genpool_core import names
from genpool_core.brokers import BrokersFile
from genpool_core.conditions import INTAKE_READY, Finding
from genpool_core.errors import BrokerError
from genpool_core.intakes import IntakeFault
from genpool_operator.decide.access import queues_of_pools
from genpool_operator.decide.intake import Intake, decide_intake, unknown_intake
from unit.operator.pools import BROKER, FINE, PROVISIONED, make_pool, spec
from unit.operator.world import World

QUEUE = {"name": "people-tasks", "intake": "photo_repair_tasks"}
POOL = make_pool(queue=QUEUE)
TWICE = IntakeFault("WorkflowServedTwice", "why")
TAKEN = IntakeFault("IntakeTaken", "why")
QUEUE_TAKEN = Finding("Accepted", "False", "QueueTaken", "whose")
MAKING = Finding("TopologyReady", "False", "Provisioning", "being made")


@pytest.mark.parametrize(
    ("fault", "accepted", "topology", "gateway", "expected"),
    [
        (None, FINE, PROVISIONED, True, ("True", "Routed", QUEUE["intake"])),
        (TWICE, FINE, PROVISIONED, True, ("False", "WorkflowServedTwice", QUEUE["intake"])),
        (TAKEN, FINE, PROVISIONED, True, ("False", "IntakeTaken", None)),
        (None, QUEUE_TAKEN, PROVISIONED, True, ("False", "QueueTaken", None)),
        (None, FINE, PROVISIONED, False, ("False", "NoGateway", QUEUE["intake"])),
        (TWICE, FINE, MAKING, False, ("False", "WorkflowServedTwice", QUEUE["intake"])),
        (None, FINE, MAKING, True, ("False", "Provisioning", QUEUE["intake"])),
    ],
)
def test_what_is_told_of_an_intake(
    fault: IntakeFault | None,
    accepted: Finding,
    topology: Finding,
    gateway: bool,  # noqa: FBT001 - a table
    expected: tuple[str, str, str | None],
) -> None:
    found = decide_intake(POOL, fault, accepted, topology, gateway=gateway)
    assert found.finding is not None
    assert (found.finding.status, found.finding.reason, found.in_force) == expected


def test_a_pool_without_an_intake_has_no_such_condition() -> None:
    assert decide_intake(make_pool(), None, FINE, PROVISIONED, gateway=True) == Intake()
    assert unknown_intake(make_pool(), "") == Intake()


@pytest.fixture
def world() -> World:
    world = World(gateway=True)
    world.put(queue=QUEUE)
    return world


def test_the_intake_is_declared_as_producers_declare_it(world: World) -> None:
    world.look()
    assert {
        "photo_repair_tasks",
        "photo_repair_tasks.dead",
        "people-tasks",
    } <= world.brokers.seen.queues.keys()
    assert world.brokers.seen.queues["photo_repair_tasks.dead"].type == "quorum"
    policy = world.brokers.seen.policies[names.work_policy("photo_repair_tasks")]
    assert policy.definition["dead-letter-routing-key"] == "photo_repair_tasks.dead"
    assert world.condition(INTAKE_READY).status == "True"
    assert world.status.queue.intake == "photo_repair_tasks"
    world.look(full=False, later=20)
    assert world.condition(INTAKE_READY).status == "True"
    assert world.condition("Ready").status == "True"


def test_of_two_pools_that_serve_the_same_the_younger_is_told_and_both_keep_the_queue(world: World) -> None:
    meta = {"name": "older", "namespace": "team", "uid": "0", "creationTimestamp": "2026-03-01T09:00:00Z"}
    older = {"metadata": meta, "spec": spec(queue={**QUEUE, "name": "older-tasks"})}
    world.store.put_pool(older)
    world.look()
    told = world.condition(INTAKE_READY)
    assert (told.status, told.reason) == ("False", "WorkflowServedTwice")
    assert "team/pictures is served by the older pool team/older" in told.message
    assert "IntakeFaulty" in {event.reason for event in world.cluster.events}
    assert world.status.queue.intake == "photo_repair_tasks"
    assert world.condition("Ready").status == "True"
    # The older one goes, and with it the reason; what the two shared stays.
    world.store.drop_pool(older)
    world.brokers.steps.clear()
    world.look()
    assert world.condition(INTAKE_READY).status == "True"
    assert "IntakeReady" in {event.reason for event in world.cluster.events}
    assert not world.brokers.steps


def test_an_intake_that_is_another_pools_queue_is_left_alone(world: World) -> None:
    meta = {"name": "other", "namespace": "team", "uid": "z", "creationTimestamp": "2026-03-01T11:00:00Z"}
    world.store.put_pool({"metadata": meta, "spec": spec(queue={"name": "photo_repair_tasks"})})
    world.look()
    assert world.condition(INTAKE_READY).reason == "IntakeTaken"
    assert world.status.queue.intake is None
    assert "photo_repair_tasks" not in world.brokers.seen.queues
    assert world.condition("Ready").status == "True"


def test_an_intake_that_is_taken_out_of_the_spec_is_forgotten_and_stays_on_the_broker(world: World) -> None:
    world.look()
    world.put(generation=2, queue={"name": "people-tasks"})
    world.look()
    assert world.status.queue.intake is None
    assert INTAKE_READY not in {item.type for item in world.status.conditions}
    assert "photo_repair_tasks" in world.brokers.seen.queues


def test_while_the_broker_is_away_the_intake_in_force_stays(world: World) -> None:
    world.look()
    world.brokers.down = BrokerError("does not answer.")
    world.restart()
    world.look(later=20)
    assert world.condition(INTAKE_READY).status == "Unknown"
    assert world.status.queue.intake == "photo_repair_tasks"


def test_the_gateway_reads_an_intake_that_is_in_force() -> None:
    status = {"queue": {"intake": "photo_repair_tasks"}}
    file = BrokersFile(brokers=[BROKER])
    assert queues_of_pools([POOL], file) == {("default", "/"): ("people-tasks",)}
    in_force = make_pool(queue=QUEUE, status=status)
    assert queues_of_pools([in_force], file) == {("default", "/"): ("people-tasks", "photo_repair_tasks")}
