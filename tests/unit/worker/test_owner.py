"""The owner and the run that the gateway gave a task, through everything that publishes its message again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fakes.worker_comfyui import Script
from fakes.worker_model import MODEL, house, looked
from fakes.worker_ports import Queued
from fakes.worker_steps import CrashNow
from fakes.worker_world import QUEUE, World
from genpool_core import names
from genpool_core.identity import task_key
from genpool_core.jsontypes import JsonObject
from genpool_core.messages import headers
from genpool_core.messages.amqp import OutgoingMessage

GATEWAY = names.gateway_user("0a1b2c3d")
TASK: JsonObject = {"task_id": "t", "prompt": "x"}
OF_THE_GATEWAY = {headers.OWNER: "k1", headers.RUN: 2}
KEY = task_key("pool-uid", "t", TASK, tenant="k1")


def accept(world: World, body: bytes | None = None, **properties: str | None) -> None:
    """What the gateway does."""
    raw = json.dumps(TASK).encode() if body is None else body
    world.broker.ready.append(
        Queued(raw, dict(OF_THE_GATEWAY), message_id=properties.get("message_id"), user_id=GATEWAY)
    )


def identity_of(message: OutgoingMessage | Queued) -> dict[str, object]:
    return {key: value for key, value in message.headers.items() if key in OF_THE_GATEWAY}


def test_a_retry_keeps_them_to_the_end(world: World) -> None:
    node = world.worker("w1", Script("interrupted", "ok"))
    accept(world)
    world.one(node)
    ((_, waiting),) = world.broker.delayed
    assert identity_of(waiting) == OF_THE_GATEWAY
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["task_key"], end["owner"], end["run"], end["attempt"]) == (KEY, "k1", 2, 2)
    owners = [claim["owner"] for key, claim in world.store.records(".json").items() if "/attempts/" in key]
    assert owners == ["k1", "k1"]


def test_a_parked_message_keeps_them(world: World) -> None:
    other, node = world.worker("w2", Script("stuck")), world.worker("w1")
    accept(world)

    def second() -> None:
        accept(world)
        world.one(node)

    other.steps.between[7] = second
    other.steps.crash_at = 8
    with pytest.raises(CrashNow):
        world.one(other)
    ((_, waiting),) = world.broker.delayed
    assert identity_of(waiting) == OF_THE_GATEWAY


def test_a_task_that_is_put_off_keeps_them(two: World) -> None:
    node = two.worker("w1")
    node.comfyui.classes["CheckpointLoaderSimple"] = None
    looked(node)
    house(two)
    plain = two.broker.ready.pop()
    accept(two, plain.body)
    two.one(node)
    ((_, waiting),) = two.broker.delayed
    assert identity_of(waiting) == OF_THE_GATEWAY
    assert MODEL.entry.name in plain.body.decode()


def test_a_stamped_message_keeps_them(world: World) -> None:
    accept(world, b'{"prompt": "x"}')
    world.one(world.worker("w1"))
    assert identity_of(world.broker.ready[0]) == OF_THE_GATEWAY


@pytest.mark.parametrize("body", [b"no json", b'{"task_id": "t", "workflow_type": "nope"}'])
def test_a_dead_letter_keeps_them(make_world: Callable[..., World], body: bytes) -> None:
    world = make_world()
    accept(world, body)
    world.drive(world.worker("w1"))
    (letter,) = world.broker.to("", names.dead_queue(QUEUE))
    assert identity_of(letter) == OF_THE_GATEWAY


def test_two_owners_may_send_the_same_task(world: World) -> None:
    node = world.worker("w1")
    accept(world)
    world.send(TASK)
    world.drive(node)
    ends = world.store.records("end.json").values()
    assert sorted((str(end["owner"]), end["run"]) for end in ends) == [("None", 1), ("k1", 2)]
    assert len({end["task_key"] for end in ends}) == 2
