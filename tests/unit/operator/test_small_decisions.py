"""Ownership of objects and queues, workflows, events, the broker's health."""

from __future__ import annotations

import pytest

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.api.status import Condition
from genpool_core.conditions import (
    ACCEPTED,
    BROKER_REACHABLE,
    SCALING_ACTIVE,
    TOPOLOGY_READY,
    WORKERS_READY,
    Finding,
)
from genpool_core.errors import InvalidManifest
from genpool_core.queue_ownership import queue_owner
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_operator.decide.broker_health import BrokerHealth, Reachability, broker_finding
from genpool_operator.decide.events import events_of, scale_event
from genpool_operator.decide.ownership import OwnerFacts, ownership
from genpool_operator.decide.workflows import check_workflows
from unit.operator.pools import NOW, UID, at, make_pool

OURS = names.pool_labels("pictures")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (OwnerFacts(OURS, "GenerationPool", UID), "ours"),
        (OwnerFacts({}, "GenerationPool", UID), "ours"),
        (OwnerFacts(OURS, "GenerationPool", "another"), "previous"),
        (OwnerFacts(OURS), "ours"),
        (OwnerFacts(names.pool_labels("other")), "foreign"),
        (OwnerFacts(), "foreign"),
        (OwnerFacts(OURS, "ReplicaSet", "another"), "foreign"),
    ],
)
def test_ownership(facts: OwnerFacts, expected: str) -> None:
    assert ownership(facts, make_pool().metadata) == expected


def aged(name: str, minutes: int, **changes: object) -> GenerationPool:
    pool = make_pool(name=name, uid=name, **changes)
    meta = pool.metadata.model_copy(update={"creation_timestamp": at(60 * minutes)})
    return pool.model_copy(update={"metadata": meta})


def test_the_oldest_pool_has_the_queue() -> None:
    first, second, third = aged("c", 1), aged("b", 2), aged("a", 3)
    pools = [third, first, second]
    assert queue_owner(first, pools) is None
    found = queue_owner(third, pools)
    assert found is not None
    assert (found.pool, found.queue) == ("team/c", "generation_tasks")


def test_of_two_pools_of_the_same_second_one_has_the_queue() -> None:
    pools = [aged("a", 1), aged("b", 1)]
    assert [queue_owner(pool, pools) is None for pool in pools] == [True, False]


def test_a_pool_whose_age_is_not_known_takes_the_queue_from_none() -> None:
    known, new = aged("b", 1), make_pool(name="a", uid="a")
    new = new.model_copy(update={"metadata": new.metadata.model_copy(update={"creation_timestamp": None})})
    assert queue_owner(known, [known, new]) is None
    assert queue_owner(new, [known, new]) is not None


def test_another_queue_is_nobodys_business() -> None:
    first, second = aged("a", 1, queue={"name": "other"}), aged("b", 2)
    assert queue_owner(second, [first, second]) is None


def test_a_pool_may_not_take_anothers_dead_letters_for_tasks() -> None:
    first, second = aged("a", 1), aged("b", 2, queue={"name": "generation_tasks.dead"})
    found = queue_owner(second, [first, second])
    assert found is not None
    assert found.queue == "generation_tasks.dead"


def test_the_same_name_on_another_vhost_is_another_queue() -> None:
    first, second = aged("a", 1), aged("b", 2, broker={"vhost": "other"})
    assert queue_owner(second, [first, second]) is None


TEMPLATE = '{"6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}}}'
PARAMETERS = (
    "description: x\nparameters:\n  prompt: {schema: {type: string}, targets: [{node: '6', input: text}]}\n"
)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (MissingFiles("there is no ConfigMap mine."), "workflow text-to-image: there is no ConfigMap mine."),
        (WorkflowFiles("{", PARAMETERS), "workflow text-to-image, template: not JSON"),
        (WorkflowFiles('{"nodes": []}', PARAMETERS), "Export it with Export (API)"),
        (WorkflowFiles(TEMPLATE, "a: ["), "workflow text-to-image, workflow.yaml: not YAML"),
        (WorkflowFiles(TEMPLATE, "description: x\n"), "parameters: Field required"),
        (
            WorkflowFiles(TEMPLATE, PARAMETERS.replace("'6'", "'7'")),
            "parameter prompt has no place in the template",
        ),
    ],
)
def test_what_is_wrong_with_a_workflow(found: WorkflowFiles | MissingFiles, says: str) -> None:
    with pytest.raises(InvalidManifest) as caught:
        check_workflows(make_pool().spec.workflows, {"text-to-image": found})
    assert caught.value.reason == "InvalidWorkflow"
    assert says in caught.value.message


def condition(finding: Finding) -> Condition:
    return Condition(
        type=finding.type,
        status=finding.status,
        reason=finding.reason,
        message=finding.message,
        last_transition_time=NOW,
    )


BAD = Finding(ACCEPTED, "False", "InvalidWorkflow", "no ConfigMap mine")
GOOD = Finding(ACCEPTED, "True", "Accepted", "fine")
CRASH = Finding(WORKERS_READY, "False", "CrashLoopBackOff", "pod a crashes")
LOST = Finding(BROKER_REACHABLE, "False", "BrokerUnreachable", "no answer")
THERE = Finding(BROKER_REACHABLE, "True", "Reachable", "answers")
MAKING = Finding(TOPOLOGY_READY, "False", "Provisioning", "being made")
MADE = Finding(TOPOLOGY_READY, "True", "Provisioned", "made")
CONFLICT = Finding(TOPOLOGY_READY, "False", "TopologyConflict", "another type")
STARTING = Finding(WORKERS_READY, "False", "Starting", "")
WELL = Finding(WORKERS_READY, "True", "AllReady", "")
HELD = Finding(SCALING_ACTIVE, "False", "Hold", "")
FOLLOWS = Finding(SCALING_ACTIVE, "True", "FollowsQueue", "")


@pytest.mark.parametrize(
    ("old", "new", "events"),
    [
        ([], [GOOD], [("Normal", "Accepted")]),
        ([GOOD], [GOOD], []),
        ([GOOD], [BAD], [("Warning", "InvalidWorkflow")]),
        ([BAD], [BAD], []),
        ([BAD], [Finding(ACCEPTED, "False", "InvalidWorkflow", "another")], [("Warning", "InvalidWorkflow")]),
        ([BAD], [GOOD], [("Normal", "Accepted")]),
        ([], [THERE], []),
        ([THERE], [LOST], [("Warning", "BrokerLost")]),
        ([LOST], [Finding(BROKER_REACHABLE, "False", LOST.reason, "the other way")], []),
        ([LOST], [Finding(BROKER_REACHABLE, "False", "BrokerRefused", "")], [("Warning", "BrokerLost")]),
        ([LOST], [THERE], [("Normal", "BrokerRegained")]),
        ([], [MAKING], []),
        ([MAKING], [MADE], [("Normal", "TopologyReady")]),
        ([MADE], [CONFLICT], [("Warning", "TopologyFaulty")]),
        ([MAKING], [Finding(TOPOLOGY_READY, "Unknown", "BrokerUnreachable", "")], []),
        ([Finding(BROKER_REACHABLE, "Unknown", "Connecting", "")], [THERE], []),
        ([HELD], [FOLLOWS], []),
        ([FOLLOWS], [HELD], []),
        ([], [CRASH], [("Warning", "WorkersFailing")]),
        ([CRASH], [Finding(WORKERS_READY, "False", "CrashLoopBackOff", "pod b crashes")], []),
        ([CRASH], [WELL], [("Normal", "WorkersRecovered")]),
        ([], [STARTING], []),
        ([STARTING], [WELL], []),
    ],
)
def test_events(old: list[Finding], new: list[Finding], events: list[tuple[str, str]]) -> None:
    found = events_of([condition(item) for item in old], new)
    assert [(event.type, event.reason) for event in found] == events


def test_scale_events() -> None:
    assert scale_event(0, 3, "3 tasks waiting").message == "From 0 to 3 pods: 3 tasks waiting"
    assert scale_event(0, 3, "").reason == "ScaledOut"
    assert scale_event(3, 0, "").reason == "ScaledIn"
    assert scale_event(3, 0, "").type == "Normal"


OK = Reachability(at(-60), NOW)


@pytest.mark.parametrize(
    ("management", "amqp", "status", "reason"),
    [
        (OK, OK, "True", "Reachable"),
        (Reachability(NOW), OK, "Unknown", "Connecting"),
        (OK, Reachability(NOW), "Unknown", "Connecting"),
        (Reachability(at(-60), at(-30)), OK, "True", "Reachable"),
        (Reachability(at(-60), at(-2), "BrokerUnreachable", "no"), OK, "True", "Reachable"),
        (Reachability(at(-60), at(-6), "BrokerUnreachable", "no"), OK, "False", "BrokerUnreachable"),
        (OK, Reachability(at(-60), at(-6), "BrokerUnreachable", "no"), "False", "BrokerUnreachable"),
        (Reachability(at(-6), None, "BrokerUnreachable", "no"), OK, "False", "BrokerUnreachable"),
        (Reachability(at(-1), None, "BrokerUnreachable", "no"), OK, "Unknown", "Connecting"),
        (Reachability(at(-1), None, "BrokerRefused", "no"), OK, "False", "BrokerRefused"),
    ],
)
def test_broker_reachable(management: Reachability, amqp: Reachability, status: str, reason: str) -> None:
    finding = broker_finding("default", BrokerHealth(management, amqp), NOW)
    assert (finding.status, finding.reason) == (status, reason)


@pytest.mark.parametrize(
    ("way", "fine"),
    [
        (OK, True),
        (Reachability(NOW), False),
        (Reachability(at(-60), NOW, "BrokerRefused", "no"), False),
        (Reachability(NOW, None, "BrokerRefused", "no"), False),
    ],
)
def test_a_way_that_answered_the_last_time(way: Reachability, *, fine: bool) -> None:
    assert way.fine is fine
