"""What cannot be settled: bounded, told, and never lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fakes.worker_comfyui import Script
from fakes.worker_ports import Queued
from fakes.worker_steps import FakeClock
from fakes.worker_world import QUEUE, Node, World
from genpool_core import names, timing
from genpool_core.errors import BrokerError, Lasts, StorageError
from genpool_core.messages import faults, headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.messages.copies import bare, copy_of
from genpool_core.tasks.decode import Decoded
from genpool_worker import consumer
from genpool_worker.drain import Drain
from genpool_worker.errors import Refused
from genpool_worker.retry import OutageRetry
from genpool_worker.status import Waits
from unit.worker.test_consumer import Loop, task

OURS = names.worker_user("pool-uid", "0a1b2c3d")
TASK = {"task_id": "t", "prompt": "x"}


def dead_letters(world: World) -> list[OutgoingMessage]:
    return world.broker.to("", names.dead_queue(QUEUE))


# Copies -------------------------------------------------------------------------------------------------------------


def delivery(given: dict[str, object] | None = None, **changes: Any) -> Delivery:  # noqa: ANN401 - fields
    properties = Properties(
        content_type="text/plain",
        content_encoding="gzip",
        expiration="60000",
        message_id="m",
        type="t",
        user_id="producer",
    )
    return Delivery(b"body", given or {}, properties, **changes)


def copied(
    given: Delivery, to: str = "q", own: dict[str, headers.HeaderValue] | None = None
) -> OutgoingMessage:
    return copy_of(given, "", to, own or {}, pool_uid="pool-uid")


def test_a_copy_is_as_the_message_came() -> None:
    given: dict[str, object] = {"ratio": 0.75, "deep": {"list": [1, {"a": None}]}}
    copy = copied(delivery(given), "q.dead", {headers.REASON: "InvalidTask"})
    assert copy.headers == {**given, headers.REASON: "InvalidTask", headers.EXPIRATION: "60000"}
    assert copy.verbatim
    assert copy.properties == Properties(
        content_type="text/plain", content_encoding="gzip", message_id="m", type="t"
    )


def test_a_stamped_copy_still_expires() -> None:
    copy = copy_of(delivery(), "", "q", {}, pool_uid="pool-uid", new_id="n", expires=True)
    assert (copy.properties.expiration, copy.properties.message_id, copy.headers) == ("60000", "n", {})


def test_notes_travel_from_copy_to_copy_and_only_from_our_own() -> None:
    noted: dict[str, object] = {headers.EXPIRATION: "5", headers.LEFT_OUT: "a"}
    again = Delivery(b"", noted, Properties(user_id=OURS), unreadable=("b",))
    assert copied(again).headers == {headers.EXPIRATION: "5", headers.LEFT_OUT: "a, b"}
    forged = Delivery(b"", noted, Properties(user_id="producer"))
    assert copied(forged).headers == {}


def test_a_bare_copy_names_what_it_lacks() -> None:
    copy = bare(copied(delivery({"trace": "x"}), "q.dead", {headers.REASON: "R"}))
    assert copy.properties == Properties(message_id="m")
    assert copy.headers == {
        headers.REASON: "R",
        headers.EXPIRATION: "60000",
        headers.LEFT_OUT: "trace, content_type, content_encoding, type",
    }
    assert (copy.body, copy.routing_key) == (b"body", "q.dead")


def test_a_copy_that_is_never_accepted_goes_without_the_producers_headers(world: World) -> None:
    node = world.worker("w1")
    publish = node.context.broker.publish

    def refusing(message: OutgoingMessage, *, timeout: float = 10.0) -> None:
        if "poison" in message.headers:
            raise BrokerError("406", reason="PublishRefused", lasts=Lasts.NEVER)
        publish(message, timeout=timeout)

    node.context.broker.publish = refusing  # type: ignore[method-assign]
    world.broker.ready.append(Queued(b'{"task_id": "t"}', {"poison": 1}))
    world.drive(node)
    (letter,) = dead_letters(world)
    assert letter.headers[headers.REASON] == "InvalidTask"
    assert letter.headers[headers.LEFT_OUT] == "poison"
    assert world.broker.empty


@pytest.mark.parametrize(
    "body", [b'{"prompt": "x"}', b"no json", b'{"task_id": "t", "prompt": 7, "width": -1}']
)
def test_a_message_that_cannot_be_copied_at_all_goes_back_after_a_pause(world: World, body: bytes) -> None:
    """Stamped, rejected or dead: nothing is lost, and RabbitMQ's delivery limit ends it."""
    node = world.worker("w1")
    node.steps.fail_on = "broker.publish "
    node.steps.fail_with = BrokerError("406", reason="PublishRefused", lasts=Lasts.NEVER)
    world.broker.ready.append(Queued(body, {"trace": "x"}))
    began = world.clock.time
    loop = Loop(world, node, turns=4)
    loop.run()
    assert [queued.body for queued in world.broker.ready] == [body]
    back = node.steps.names.count("broker.requeue")
    assert back >= 1
    assert world.clock.time - began >= back * timing.FAULT_SECONDS
    assert loop.status.snapshot.state != "unready"
    assert [item.properties.type for item in world.broker.published].count("task.ended") <= 1


def test_a_retry_that_cannot_be_copied_ends_the_task_and_tells_it(world: World) -> None:
    node = world.worker("w1", Script("interrupted"))
    publish = node.context.broker.publish

    def refusing(message: OutgoingMessage, *, timeout: float = 10.0) -> None:
        if message.verbatim:
            raise BrokerError("406", reason="PublishRefused", lasts=Lasts.NEVER)
        publish(message, timeout=timeout)

    node.context.broker.publish = refusing  # type: ignore[method-assign]
    world.send({**TASK, "callback_url": "https://c.example/"})
    Loop(world, node, turns=3).run()
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"], end["attempt"]) == ("dead", "Interrupted", 1)
    assert [item.properties.type for item in world.broker.published][-2:] == ["task.ended", "callback"]
    assert len(world.broker.ready) == 1


# Later, or never ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (BrokerError("x", lasts=Lasts.NEVER), (0, 0)),
        (StorageError("x", lasts=Lasts.NEVER), (0, 0)),
        (BrokerError("x", lasts=Lasts.REPAIR), (timing.REPAIR_SECONDS, timing.REPAIR_SECONDS + 10)),
    ],
)
def test_what_is_refused_for_good_ends(
    error: BrokerError | StorageError, seconds: tuple[float, float]
) -> None:
    clock = FakeClock()
    began = clock.time

    def refuse() -> None:
        raise error

    with pytest.raises(Refused):
        OutageRetry(Drain(clock, 600), clock).until_published(refuse)
    assert seconds[0] <= clock.time - began <= seconds[1]


def test_an_outage_starts_the_wait_for_a_repair_anew_and_has_no_end_of_its_own() -> None:
    clock = FakeClock()
    errors = iter([Lasts.REPAIR] * 10 + [Lasts.OUTAGE] * 500 + [Lasts.REPAIR] * 10)

    def answer() -> str:
        for lasts in errors:
            raise BrokerError("x", lasts=lasts)
        return "done"

    assert OutageRetry(Drain(clock, 600), clock).until_published(answer) == "done"
    assert clock.time > 3600


def test_a_missing_dead_letter_queue_closes_the_worker_for_a_while_and_loses_nothing(world: World) -> None:
    node = world.worker("w1", Script("node_error"))
    world.send(TASK)
    node.steps.fail_on = "broker.publish "
    node.steps.fail_with = BrokerError("no queue accepts it", reason="Unroutable", lasts=Lasts.REPAIR)
    loop = Loop(world, node, turns=8)
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        seen.append((loop.status.snapshot.state, loop.consumption.open))
        node.steps.fail_on = None

    loop.at_turn[5] = look
    began = world.clock.time
    # Turns of a closed loop take half a second.
    loop.inbox._turns = 400
    loop.at_turn = {390: look}
    loop.run()
    assert seen == [("unready", False)]
    assert world.clock.time - began > timing.REPAIR_SECONDS + timing.REFUSED_SECONDS
    (letter,) = dead_letters(world)
    assert letter.headers[headers.REASON] == "NodeFailed"
    assert world.broker.empty
    assert len(world.store.records("end.json")) == 1


def test_a_result_that_the_store_never_accepts_ends_the_task(world: World) -> None:
    node = world.worker("w1")
    world.send(TASK)
    node.steps.fail_on = "store.put_file"
    node.steps.fail_with = StorageError("EntityTooLarge", lasts=Lasts.NEVER)
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"], end["attempt"]) == ("dead", "ResultRefused", 1)


# Faults of ours -----------------------------------------------------------------------------------------------------


def test_a_delivery_that_trips_the_reader_becomes_a_dead_letter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> Decoded:
        raise AttributeError("a defect")

    monkeypatch.setattr(consumer, "decode", broken)
    world.send(TASK)
    Loop(world, world.worker("w1")).run()
    (letter,) = dead_letters(world)
    assert letter.headers[headers.REASON] == "InternalError"
    assert world.broker.empty


def test_a_message_that_trips_the_worker_again_and_again_becomes_a_dead_letter(world: World) -> None:
    """Also on a classic queue, where RabbitMQ counts nothing. Another message is not counted with it."""
    node = world.worker("w1")
    process, tripped = node.processor.process, Counter[str]()

    def broken(decoded: Decoded) -> None:
        if getattr(decoded, "body", {}).get("task_id") == "t0":
            tripped["t0"] += 1
            raise KeyError("a defect")
        process(decoded)

    node.processor.process = broken  # type: ignore[method-assign]
    task(world, 2)
    Loop(world, node, turns=12).run()
    assert tripped["t0"] == faults.LIMIT
    (letter,) = dead_letters(world)
    assert json.loads(letter.body)["task_id"] == "t0"
    assert letter.headers[headers.REASON] == "InternalError"
    assert len(world.store.records("end.json")) == 1
    assert world.broker.empty


def test_a_broker_that_cannot_be_paused_while_the_store_fails_ends_nothing(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node, turns=6)
    loop.preconditions.trouble()
    task(world)
    node.steps.fail_with = StorageError("away")
    node.steps.fail_at = len(node.steps.names) + 4

    def pause() -> None:
        raise BrokerError("the connection does not answer")

    loop.consumption.pause = pause  # type: ignore[method-assign]
    loop.run()
    assert len(world.store.records("end.json")) == 1


# The last net -------------------------------------------------------------------------------------------------------


class FlappingStore:
    """Answers whenever it is asked whether it is there, and fails whenever a task needs it."""

    def __init__(self, node: Node) -> None:
        self._steps = node.steps

    def get(self, _key: str) -> bytes:
        self._steps.names.append("store.get")
        raise StorageError("flapping")


@pytest.mark.parametrize(
    ("version", "counts"),
    [
        ("3.10 to 3.13: every redelivery", lambda handed_back: handed_back),
        ("4.0 to 4.2: every acquisition", lambda handed_back: handed_back + 1),
        ("4.3: no hand-back, only lost connections", lambda _handed_back: 0),
    ],
)
def test_an_hour_of_a_flapping_store_makes_no_dead_letter(
    world: World, version: str, counts: Callable[[int], int]
) -> None:
    """The message is in hand while its worker waits, so more workers return it no more often."""
    node = world.worker("w1")
    node.context.ledger._store.get = FlappingStore(node).get  # type: ignore[method-assign]
    world.send(TASK)
    loop = Loop(world, node, turns=100_000)
    began = world.clock.time
    taken = loop.inbox.take

    def until_an_hour(seconds: float) -> Delivery | None:
        if world.clock.time - began > 3600:
            node.context.drain.begin()
        return taken(seconds)

    loop.inbox.take = until_an_hour  # type: ignore[method-assign]
    loop.run()
    handed_back = node.steps.names.count("broker.requeue")
    assert handed_back > 50, "it goes back, for a worker whose store may answer"
    assert counts(handed_back) < timing.DELIVERY_LIMIT / 2, version
    assert not world.store.records("end.json")
    assert not dead_letters(world)


def test_hand_backs_without_a_task_between_them_slow_down(world: World) -> None:
    """ComfyUI goes away each time that something was delivered."""
    node = world.worker("w1")
    loop = Loop(world, node, turns=100_000)
    began = world.clock.time
    task(world)
    deliver = loop.deliver

    def delivering() -> Delivery | None:
        found = deliver()
        if found is not None:
            node.steps.fail_on, node.steps.fail_with = "comfyui.waiting", StorageError("x")
        return found

    def trouble() -> Waits | None:
        if node.steps.fail_on:
            node.steps.fail_on = None
            return Waits("ComfyUIUnavailable", "ComfyUI is away")
        return None

    loop.deliver = delivering  # type: ignore[method-assign]
    loop.preconditions.trouble = trouble  # type: ignore[method-assign]
    taken = loop.inbox.take

    def until_an_hour(seconds: float) -> Delivery | None:
        if world.clock.time - began > 3600:
            node.context.drain.begin()
        return taken(seconds)

    loop.inbox.take = until_an_hour  # type: ignore[method-assign]
    loop.run()
    assert 100 < node.steps.names.count("broker.requeue") < timing.DELIVERY_LIMIT / 2
