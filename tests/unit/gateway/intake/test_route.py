"""What becomes of a message of an intake: every branch, and the message that follows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from genpool_core import names
from genpool_core.api.record import parse_pool
from genpool_core.messages.amqp import Delivery
from genpool_core.tasks.decode import TaskDelivery, decode
from genpool_gateway.intake.behind import Behind, intakes
from genpool_gateway.intake.messages import message_for, rejected_event
from genpool_gateway.intake.route import Decision, Publish, PutAside, Refuse, put_aside, route
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import PoolFiles, served_pool
from support.pool_objects import BUILDINGS, PEOPLE, Json, served
from unit.gateway.intake.samples import (
    BUILDINGS_POOL,
    GATEWAY,
    INTAKE,
    PEOPLE_POOL,
    PHOTO,
    behind,
    delivery,
    fallback,
    pool,
)

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
POOLS = behind(PEOPLE_POOL, BUILDINGS_POOL)
UNKNOWN = (
    "workflow_type 'cats' is served by no pool behind intake photo_repair_tasks. "
    f"Workflows: {PEOPLE}, {BUILDINGS}."
)
MISSING = (
    "workflow_type is missing, and no pool behind intake photo_repair_tasks has a fallback: "
    f"send one of {PEOPLE}, {BUILDINGS}."
)
GRAPH = {"1": {"class_type": "SaveImage", "inputs": {}}}


def routed(sent: Delivery, to: Behind = POOLS) -> Decision:
    return route(sent, to, NOW)


# To a pool ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "queue"),
    [
        (PHOTO, "people_tasks"),
        ({**PHOTO, "workflow_type": BUILDINGS, "parameters": {"size": 1080}}, "buildings_tasks"),
    ],
)
def test_a_task_comes_to_the_pool_that_serves_it(body: Json, queue: str) -> None:
    decision = routed(delivery(body))
    assert isinstance(decision, Publish)
    assert (decision.serving.queue, decision.has_id) == (queue, True)


def test_a_task_that_names_none_comes_to_the_fallback() -> None:
    body = {key: value for key, value in PHOTO.items() if key != "workflow_type"}
    decision = routed(delivery(body), behind(PEOPLE_POOL, fallback(pool("buildings", BUILDINGS))))
    assert isinstance(decision, Refuse), "its size is one of people"
    body["parameters"] = {"size": 1000}
    decision = routed(delivery(body), behind(PEOPLE_POOL, fallback(pool("buildings", BUILDINGS))))
    assert isinstance(decision, Publish)
    assert decision.pool.ref.name == "buildings"


def test_a_graph_comes_to_the_pool_of_its_workflow_or_the_fallback_if_that_allows_it() -> None:
    graphs = {"allowGraphs": True, "allowGraphsWithPodIdentity": True}
    people = fallback(pool("people", PEOPLE))
    people["spec"]["security"] = graphs
    both = behind(people, BUILDINGS_POOL)
    for body in (
        {"task_id": "1", "prompt": GRAPH},
        {"task_id": "1", "prompt": GRAPH, "workflow_type": PEOPLE},
    ):
        decision = routed(delivery(body), both)
        assert isinstance(decision, Publish), decision
        assert decision.pool.ref.name == "people"
    refused = routed(delivery({"task_id": "1", "prompt": GRAPH, "workflow_type": BUILDINGS}), both)
    assert isinstance(refused, Refuse)
    assert refused.reason == "InvalidTask"


# To the dead letters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason", "said", "about"),
    [
        (b"\xff", "InvalidMessage", "not JSON in UTF-8", None),
        (b"{", "InvalidMessage", "the message", None),
        (b"[]", "InvalidMessage", "not an object", None),
        ({**PHOTO, "workflow_type": 5}, "InvalidTask", "workflow_type is a number", None),
        ({**PHOTO, "parameters": []}, "InvalidTask", "parameters is a list", None),
        ({**PHOTO, "task_id": {}}, "InvalidTask", "task_id is an object", None),
        (
            {**PHOTO, "workflow_type": "cats"},
            "WorkflowUnknown",
            UNKNOWN,
            None,
        ),
        (
            {**PHOTO, "workflow_type": ""},
            "WorkflowUnknown",
            MISSING,
            None,
        ),
        ({"task_id": "1", "prompt": GRAPH}, "WorkflowUnknown", "has a fallback", None),
        ({**PHOTO, "parameters": {"size": 5}}, "InvalidTask", "size", "people"),
        ({**PHOTO, "parameters": {"seeed": 5}}, "InvalidTask", "seeed", "people"),
        ({**PHOTO, "image_url": "https://evil.example/a.jpg"}, "RefusedInput", "host evil.example", "people"),
        ({**PHOTO, "callback_url": "ftp://x"}, "InvalidTask", "callback_url", None),
    ],
)
def test_what_no_worker_could_do_is_a_dead_letter(
    body: object, reason: str, said: str, about: str | None
) -> None:
    decision = routed(delivery(body))
    assert isinstance(decision, Refuse), decision
    assert said in decision.sentence
    assert (decision.reason, decision.pool and decision.pool.ref.name) == (reason, about)


def test_a_dead_letter_is_the_message_with_its_reason() -> None:
    sent = delivery(
        {**PHOTO, "workflow_type": "cats"},
        {"theirs": "kept", "x-genpool-owner": "made-up", "x-death": []},
        message_id="m",
        priority=5,
        expiration="60000",
    )
    message = message_for(routed(sent), sent, INTAKE, NOW, new_id="new")
    assert (message.exchange, message.routing_key, message.body) == ("", "photo_repair_tasks.dead", sent.body)
    assert (message.mandatory, message.properties.message_id, message.properties.priority) == (True, "m", 5)
    assert message.properties.expiration is None, "or the broker would delete it"
    assert dict(message.headers) == {
        "theirs": "kept",
        "x-genpool-expiration": "60000",
        "x-genpool-schema": 1,
        "x-genpool-reason": "WorkflowUnknown",
        "x-genpool-message": UNKNOWN,
        "x-genpool-attempts": 0,
        "x-genpool-ended-at": "2026-11-26T12:00:00+00:00",
    }


def test_a_refusal_by_a_pool_is_announced_for_it() -> None:
    refused = routed(delivery({**PHOTO, "parameters": {"size": 5}}))
    assert isinstance(refused, Refuse)
    event = rejected_event(refused, NOW)
    assert event is not None
    assert (event.routing_key, event.mandatory) == ("uid-team-people.message.rejected", False)
    nobodys = routed(delivery(b"{"))
    assert isinstance(nobodys, Refuse)
    assert rejected_event(nobodys, NOW) is None


# The copy ------------------------------------------------------------------------------------------------------------


def test_a_copy_is_the_producers_message() -> None:
    raw = b' {"task_id": "task_12345",  "image_url": "https://cdn.example/a.jpg", "workflow_type": "%s"}' % (
        PEOPLE.encode()
    )
    given: dict[str, Any] = {
        "message_id": "m",
        "priority": 5,
        "expiration": "60000",
        "correlation_id": "c",
        "user_id": "a-producer",
    }
    sent = delivery(raw, {"theirs": [1, {"a": b"\x00"}], "CC": ["x"]}, **given)
    message = message_for(routed(sent), sent, INTAKE, NOW, new_id="new")
    assert (message.exchange, message.routing_key, message.body) == ("", "people_tasks", raw)
    assert (message.mandatory, message.verbatim, dict(message.headers)) == (
        True,
        True,
        {"theirs": [1, {"a": b"\x00"}]},
    )
    kept = {name: getattr(message.properties, name) for name in given}
    assert kept == {**given, "user_id": None}, "the broker writes the gateway's name there"


@pytest.mark.parametrize(
    ("body", "properties", "message_id"),
    [
        (PHOTO, {}, None),
        (PHOTO, {"message_id": "m"}, "m"),
        ({**PHOTO, "task_id": ""}, {"message_id": "m"}, "m"),
        ({**PHOTO, "task_id": None}, {}, "new"),
    ],
)
def test_a_task_without_an_id_gets_one(body: Json, properties: Json, message_id: str | None) -> None:
    sent = delivery(body, **properties)
    decision = routed(sent)
    assert isinstance(decision, Publish)
    later = put_aside(decision, "QueueFull", "full.")
    for one in (decision, later):
        message = message_for(one, sent, INTAKE, NOW, new_id="new")
        assert message.properties.message_id == message_id


def test_a_worker_knows_the_task_as_if_its_producer_had_sent_it_there() -> None:
    sent = delivery(PHOTO, {"x-genpool-owner": "made-up", "x-genpool-run": 7}, user_id="a-producer")
    message = message_for(routed(sent), sent, INTAKE, NOW, new_id="new")
    arrived = delivery(message.body, dict(message.headers), user_id=GATEWAY)
    for one in (arrived, delivery(PHOTO)):
        task = decode(one, "uid-team-people")
        assert isinstance(task, TaskDelivery)
        assert (task.owner, task.ref.run) == (None, 1)
    keys = {decode(one, "uid-team-people").ref.key for one in (arrived, delivery(PHOTO))}  # type: ignore[union-attr]
    assert len(keys) == 1


# Later --------------------------------------------------------------------------------------------------------------


def _without_config_map(body: Json) -> PoolDirectory:
    return PoolDirectory.of([served(PEOPLE_POOL), served_pool(parse_pool(body), None)])


def _behind(directory: PoolDirectory) -> Behind:
    return intakes(directory)["default", "pictures", INTAKE]


def test_a_pool_that_takes_no_task_now_gets_it_later() -> None:
    body = {**PHOTO, "workflow_type": BUILDINGS, "parameters": {"size": 1080}}
    soon = behind(PEOPLE_POOL, pool("buildings", BUILDINGS, in_force=False, age=1))
    troubled = _behind(_without_config_map(BUILDINGS_POOL))
    for place, said in ((soon, "is not behind intake"), (troubled, "takes no tasks")):
        decision = routed(delivery(body), place)
        assert isinstance(decision, PutAside)
        assert (decision.reason, decision.pool.ref.name) == ("PoolUnavailable", "buildings")
        assert said in decision.sentence
        assert isinstance(routed(delivery(), place), Publish), "others go on"


def test_a_workflow_that_is_new_in_the_spec_waits_for_its_workers() -> None:
    newer = pool("people", PEOPLE, BUILDINGS)
    old = served(PEOPLE_POOL)
    assert old.serving is not None
    mixed = PoolDirectory.of(
        [served_pool(parse_pool(newer), PoolFiles(old.serving.config, old.serving.catalog))]
    )
    decision = routed(delivery({**PHOTO, "workflow_type": BUILDINGS}), _behind(mixed))
    assert isinstance(decision, PutAside)
    assert "does not serve" in decision.sentence


def test_what_is_put_aside_comes_back_to_the_intake_later_each_time() -> None:
    sent = delivery(PHOTO, {"theirs": 1}, expiration="90000", priority=2)
    steps = []
    for _ in range(5):
        decision = routed(sent)
        assert isinstance(decision, Publish)
        aside = put_aside(decision, "QueueFull", "full.")
        message = message_for(aside, sent, INTAKE, NOW, new_id="new")
        steps.append(message.exchange)
        assert (message.routing_key, message.properties.expiration) == (INTAKE, None)
        assert message.headers["x-genpool-expiration"] == "90000"
        sent = delivery(message.body, dict(message.headers), user_id=GATEWAY, priority=2)
    assert steps == [names.retry_step(seconds) for seconds in (5, 30, 120, 120, 120)]


@pytest.mark.parametrize(
    ("waited", "user", "left"),
    [(30, GATEWAY, "60000"), (89, GATEWAY, "1000"), (30, "a-producer", None)],
)
def test_a_task_waits_no_longer_than_its_producer_lets_it(waited: int, user: str, left: str | None) -> None:
    notes = {"x-genpool-expiration": "90000", "x-genpool-since": int(NOW.timestamp()) - waited}
    sent = delivery(PHOTO, {**notes, "x-genpool-aside": 1}, user_id=user)
    message = message_for(routed(sent), sent, INTAKE, NOW, new_id="new")
    assert message.properties.expiration == left


def test_a_task_that_expired_meanwhile_is_a_dead_letter() -> None:
    notes = {"x-genpool-expiration": "90000", "x-genpool-since": int(NOW.timestamp()) - 90}
    decision = routed(delivery(PHOTO, {**notes, "x-genpool-aside": 2}, user_id=GATEWAY))
    assert isinstance(decision, Refuse)
    assert (decision.reason, decision.pool and decision.pool.ref.name) == ("Expired", "people")
