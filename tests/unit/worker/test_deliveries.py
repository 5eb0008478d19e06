"""Single deliveries: what is published, with which headers, and what is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fakes.worker_comfyui import Result, Script
from fakes.worker_ports import Queued
from fakes.worker_world import QUEUE, World
from genpool_core import names
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger import keys
from genpool_core.messages import headers
from genpool_core.messages.events import EVENT, MessageRejected, TaskClaimed, TaskRetried
from genpool_worker.pipeline import process

TASK: JsonObject = {"task_id": "t", "prompt": "x"}
OURS = names.worker_user("pool-uid", "0a1b2c3d")
#: Two reads of the ledger come before.
CLAIM_STEP = 3


def events(world: World) -> list[str]:
    return [EVENT.validate_json(item.body).type for item in world.broker.to(names.EVENTS_EXCHANGE)]


def test_the_order_of_a_good_end(world: World) -> None:
    node = world.worker("w1")
    world.send({**TASK, "callback_url": "https://c.example/"})
    world.drive(node)
    steps = node.steps.names
    wanted = [
        "store.create",
        "broker.publish task.claimed",
        "comfyui.listen",
        "comfyui.submit",
        "comfyui.download",
        "store.put_file",
        "store.create",
        "broker.publish task.ended",
        "broker.publish callback",
        "broker.ack",
        "comfyui.forget",
    ]
    assert [step for step in steps if step in wanted] == wanted


def test_a_message_without_id_is_stamped_before_anything_else(world: World) -> None:
    node = world.worker("w1")
    own = {"trace": "x", headers.RUN: 9, "CC": ["other"]}
    world.broker.ready.append(Queued(b'{"prompt": "x"}', own, priority=4))
    world.one(node)
    assert node.steps.names == ["broker.publish ", "broker.ack"]
    (copy,) = world.broker.ready
    assert copy.message_id
    assert (copy.body, copy.headers, copy.priority) == (b'{"prompt": "x"}', {"trace": "x"}, 4)
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["task_id"], end["run"]) == (copy.message_id, 1)


def test_no_task(world: World) -> None:
    node = world.worker("w1")
    world.broker.ready.append(Queued(b"no json", {"trace": "x", headers.REASON: "forged"}, message_id="m"))
    world.drive(node)
    (letter,) = world.broker.to("", names.dead_queue(QUEUE))
    assert letter.body == b"no json"
    assert letter.properties.message_id == "m"
    assert letter.headers["trace"] == "x"
    assert letter.headers[headers.REASON] == "InvalidMessage"
    assert events(world) == ["message.rejected"]
    assert not world.store.objects


def test_a_retry_keeps_what_the_producer_sent(world: World) -> None:
    node = world.worker("w1", Script("interrupted", "ok"))
    world.broker.ready.append(Queued(json.dumps(TASK).encode(), {"trace": "x"}, message_id="m", priority=7))
    world.one(node)
    ((_, waiting),) = world.broker.delayed
    assert waiting.headers == {"trace": "x", headers.ATTEMPT: 1, headers.RUN: 1}
    assert (waiting.message_id, waiting.priority, waiting.user_id) == ("m", 7, OURS)
    recorded, published = (
        node.steps.names.index(name) for name in ("store.put", "broker.publish genpool.retry.5s")
    )
    assert recorded < published
    (claim,) = world.store.records("attempts/1.json").values()
    assert claim["failure"]["reason"] == "Interrupted"  # type: ignore[call-overload, index]
    (retry,) = world.broker.to(names.retry_step(5))
    assert retry.routing_key == QUEUE
    assert events(world) == ["task.claimed", "task.retried"]
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["attempt"]) == ("succeeded", 2)


def test_a_replay_is_a_run_of_its_own(world: World) -> None:
    node = world.worker("w1")
    world.send(TASK)
    world.drive(node)
    world.broker.ready.append(Queued(json.dumps(TASK).encode(), {headers.RUN: 2}, user_id=OURS))
    world.drive(node)
    assert sorted(record["run"] for record in world.store.records("end.json").values()) == [1, 2]  # type: ignore[type-var]
    assert len(node.comfyui.posted) == 2


def test_headers_of_a_stranger_do_not_count(world: World) -> None:
    node = world.worker("w1")
    forged = {headers.RUN: 5, headers.ATTEMPT: 3}
    world.broker.ready.append(Queued(json.dumps(TASK).encode(), forged, user_id="producer"))
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["run"], end["attempt"]) == (1, 1)


def test_a_callback_that_may_not_be_reached_is_told_by_event_only(world: World) -> None:
    node = world.worker("w1")
    world.send({**TASK, "callback_url": "http://x.example:1/"})
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"], end["callback_url"]) == ("dead", "InvalidTask", None)
    assert not world.broker.to(names.CALLBACKS_EXCHANGE)
    assert "task.ended" in events(world)


def test_an_unreadable_end_does_not_stop_the_queue(world: World) -> None:
    node = world.worker("w1")
    world.send(TASK)
    world.drive(node)
    (key,) = world.store.records("end.json")
    world.store.objects[key] = b"not ours"
    world.send(TASK)
    world.drive(node)
    (letter,) = world.broker.to("", names.dead_queue(QUEUE))
    assert letter.headers[headers.REASON] == "UnreadableLedger"
    assert world.broker.empty
    assert world.store.objects[key] == b"not ours"


def test_a_fault_of_ours_in_an_attempt_counts_as_one(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(max_attempts=2)
    node = world.worker("w1")

    def broken(*_args: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(process.Attempt, "run", broken)
    world.send(TASK)
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"], end["attempt"]) == ("dead", "InternalError", 2)


def test_a_fault_of_ours_before_the_claim_ends_the_task(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RecursionError("a defect")

    monkeypatch.setattr(process, "validate", broken)
    world.send(TASK)
    world.drive(world.worker("w1"))
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"], end["attempt"]) == ("dead", "InternalError", 0)


def test_the_store_fails_before_the_claim(world: World) -> None:
    node = world.worker("w1")
    world.send(TASK)
    node.steps.fail_at = 1
    world.one(node)
    assert node.steps.names == ["store.keys", "broker.requeue"]
    assert world.broker.ready[0].redelivered


def test_a_stale_attempt_says_nothing(world: World) -> None:
    """Somebody else has gone on from here and this attempt failed: no retry, no end, no event."""
    node = world.worker("w1", Script("interrupted"))
    world.send(TASK)

    def fork() -> None:
        ((key, record),) = world.store.records("attempts/1.json").items()
        newer = {**record, "attempt": 2, "nonce": "other", "worker": "w2"}
        world.store.objects[key.replace("1.json", "2.json")] = json.dumps(newer).encode()

    node.steps.between[6] = fork
    world.one(node)
    assert world.broker.empty
    assert events(world) == ["task.claimed"]
    assert not world.store.records("end.json")


@pytest.mark.parametrize(
    ("step", "name"),
    [
        pytest.param(6, "comfyui.submit", id="before its own failure is settled"),
        pytest.param(13, "store.create", id="when its own end is written"),
    ],
)
@pytest.mark.parametrize("result", ["interrupted", "node_error"])
def test_a_failed_attempt_of_a_task_that_was_ended_elsewhere(
    make_world: Callable[..., World], result: Result, step: int, name: str
) -> None:
    """Cancelled meanwhile: no retry and no dead letter, and the end that stands is announced."""
    world = make_world(max_attempts=1)
    node = world.worker("w1", Script(result))
    node.context.availability.look()
    node.steps.names.clear()
    world.send(TASK)

    def cancel() -> None:
        ((key, record),) = world.store.records("attempts/1.json").items()
        end = {
            **record,
            "task_id": "t",
            "nonce": "janitor",
            "outcome": "cancelled",
            "reason": "Cancelled",
            "message": "m",
            "ended_at": record["claimed_at"],
        }
        world.store.objects[key.replace("attempts/1.json", "end.json")] = json.dumps(end).encode()

    node.steps.between[step] = cancel
    world.one(node)
    assert node.steps.names[step - 1] == name
    assert world.broker.empty
    assert events(world) == ["task.claimed", "task.ended"]
    assert not world.broker.to("", names.dead_queue(QUEUE))
    (end,) = world.store.records("end.json").values()
    assert end["outcome"] == "cancelled"


@pytest.mark.parametrize(
    ("redelivered", "kept"), [(True, {headers.RUN: 1, headers.ATTEMPT: 1}), (False, {headers.RUN: 1})]
)
def test_a_parked_message_says_which_attempt_stands_behind_it(
    world: World, *, redelivered: bool, kept: dict[str, object]
) -> None:
    """Else its dead letter, of an end that the other worker dies over, would never be written."""
    first, second = world.worker("w1"), world.worker("w2")
    world.send(TASK)

    def arrives() -> None:
        world.broker.ready.append(Queued(json.dumps(TASK).encode(), redelivered=redelivered))
        world.drive_ready(second)

    first.steps.between[6] = arrives
    world.one(first)
    ((_, parked),) = world.broker.delayed
    assert parked.headers == kept


def test_two_workers_claim_at_the_same_moment(world: World) -> None:
    first, second = world.worker("w1"), world.worker("w2")
    world.send(TASK)
    world.send(TASK)
    first.steps.between[CLAIM_STEP] = lambda: world.drive_ready(second)
    world.one(first)
    assert len(world.store.records("attempts/1.json")) == 1
    world.drive(first)
    assert len(first.comfyui.posted) + len(second.comfyui.posted) == 1


def test_a_released_attempt_does_not_count(make_world: Callable[..., World]) -> None:
    world = make_world(max_attempts=1)
    node = world.worker("w1", Script("stuck"))
    world.send(TASK)
    node.context.drain.begin()
    world.one(node)
    (claim,) = world.store.records("attempts/1.json").values()
    assert claim["released_at"]
    world.drive(world.worker("w2"))
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["attempt"]) == ("succeeded", 2)


def test_stray_results_are_swept(world: World) -> None:
    node = world.worker("w1", Script("interrupted", "ok"))
    world.send(TASK)
    world.one(node)
    (claim_key,) = world.store.records("attempts/1.json")
    run = claim_key.removesuffix("attempts/1.json")
    world.store.objects[f"{run}a1-lost/9_00001_.png"] = b"stray"
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    left = [key for key in world.store.objects if "/attempts/" not in key and not key.endswith("end.json")]
    assert left == [output["key"] for output in end["outputs"]]  # type: ignore[call-overload, index, union-attr]
    assert keys.attempt_of(claim_key) == 1


def test_events_carry_who_and_what(world: World) -> None:
    node = world.worker("w1", Script("interrupted", "ok"))
    world.send(TASK)
    world.send(b"no json")
    world.drive(node)
    found = [EVENT.validate_json(item.body) for item in world.broker.to(names.EVENTS_EXCHANGE)]
    assert {event.pool.uid for event in found} == {"pool-uid"}
    assert {item.routing_key for item in world.broker.to(names.EVENTS_EXCHANGE)} == {
        f"pool-uid.{event.type}" for event in found
    }
    (first, second) = [event for event in found if isinstance(event, TaskClaimed)]
    assert (first.attempt, second.attempt, first.workflow) == (1, 2, "text-to-image")
    assert first.id != second.id
    assert [event.reason for event in found if isinstance(event, TaskRetried)] == ["Interrupted"]
    assert [event.reason for event in found if isinstance(event, MessageRejected)] == ["InvalidMessage"]
