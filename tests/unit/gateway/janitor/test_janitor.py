"""What RabbitMQ dead-lettered, brought to one end, whenever the gateway is killed on the way."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, cast

import pytest

from genpool_core import names
from genpool_core.identity import end_id, task_key
from genpool_core.ledger import keys
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery
from genpool_gateway.janitor.janitor import Janitor
from genpool_gateway.tasks.record import TaskState
from integration.gateway.api import POOL, QUEUE
from unit.gateway.janitor.test_ending import claim
from unit.gateway.janitor.world import FakeQueue, Killed, World
from unit.gateway.samples import NOW, record

BODY = {"task_id": "t", "prompt": "a lake", "callback_url": "https://c.example/"}
TASK = task_key(POOL.uid, "t", BODY)
DEAD = names.dead_queue(QUEUE)


class Now:
    """Lanes that do everything at once, in the caller's thread."""

    @staticmethod
    def put(_pool: str, work: Any) -> bool:  # noqa: ANN401 - a call
        work()
        return True


def letter(
    body: object = BODY, *, queue: str = QUEUE, reason: str = "expired", again: bool = False
) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(raw, {"x-death": [{"queue": queue, "reason": reason}]}, redelivered=again)


def janitor(world: World) -> Janitor:
    made = Janitor(
        ("default", "/"),
        FakeQueue(world),
        cast("Any", world),
        world,
        world.announcer(),
        world,
        cast("Any", Now()),
        now=lambda: NOW,
    )
    made._later = lambda *_: None  # type: ignore[method-assign] # nothing is tried again by itself
    return made


def new_world(**changes: Any) -> World:  # noqa: ANN401 - fields
    return World(task=record(TASK, pool=POOL, state=TaskState.QUEUED, submission=None), **changes)


def steps_of_an_end() -> int:
    world = new_world()
    janitor(world).put(letter())
    return world.steps


@pytest.mark.parametrize("kill_at", range(1, steps_of_an_end() + 1))
def test_killed_at_any_step_it_finishes_when_the_message_comes_again(kill_at: int) -> None:
    world = new_world(kill_at=kill_at)
    with suppress(Killed):
        janitor(world).put(letter())
    janitor(world).put(letter(again=True))
    (end,) = world.records
    assert (end.outcome, end.reason, end.worker, end.workflow) == ("expired", "Expired", "", "text-to-image")
    assert world.task.state is TaskState.ENDED
    for exchange in (names.EVENTS_EXCHANGE, names.CALLBACKS_EXCHANGE):
        assert {json.loads(message.body)["id"] for message in world.to(exchange)} == {end_id(TASK, 1)}
    letters = world.to("")
    assert 1 <= len(letters) <= 2
    assert {message.routing_key for message in letters} == {DEAD}
    assert {message.headers[headers.TASK_KEY] for message in letters} == {TASK}
    assert world.acked


def test_a_task_that_a_worker_still_has_is_waited_for() -> None:
    world = new_world()
    world.objects[keys.claim_key("", TASK, 1, 1)] = claim().model_dump_json().encode()
    janitor(world).put(letter())
    assert (world.acked, world.records, world.published) == ([], [], [])


@pytest.mark.parametrize(
    ("world", "message", "reason"),
    [
        (new_world(), letter(b"no json"), "InvalidMessage"),
        (new_world(), letter({"prompt": "no id"}), "Expired"),
        (new_world(), letter({"prompt": "no id"}, reason="delivery_limit"), "DeliveryLimitReached"),
        (new_world(listed=False), letter(), "StoreNotListed"),
        (new_world(), letter(queue="other"), "QueueUnknown"),
    ],
)
def test_what_gets_no_end_goes_to_the_dead_letters(world: World, message: Delivery, reason: str) -> None:
    janitor(world).put(message)
    (sent,) = world.published
    assert sent.routing_key in {DEAD, "other.dead"}
    assert sent.headers[headers.REASON] == reason
    assert world.acked == [message]
    assert world.records == []


def test_what_came_from_no_queue_is_dropped() -> None:
    world = new_world()
    janitor(world).put(Delivery(b"{}"))
    assert (len(world.acked), world.published) == (1, [])
