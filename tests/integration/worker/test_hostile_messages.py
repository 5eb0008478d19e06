"""Messages that other clients send and pika cannot read or write, among good tasks, on a real RabbitMQ."""

from __future__ import annotations

import json
import math
import uuid

import pika
import pytest

from genpool_core.messages import headers
from integration.broker import until
from integration.worker.rig import QUEUE, Rig
from support import amqp_wire as wire

GOOD = 20
BINARY_ID = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
MILLISECONDS = wire.timestamp(1_795_000_000_000)
#: With our own headers it no longer fits into a frame of 131,072 bytes.
HUGE = wire.longstr(b"x" * 130_900)


def good() -> dict[str, object]:
    return {"task_id": str(uuid.uuid4()), "prompt": "a sunset", "width": 64, "height": 64, "steps": 1}


def publish(rig: Rig, body: dict[str, object] | bytes, raw: bytes | None = None) -> None:
    """As a plain producer; with ``raw`` as the bytes of the properties."""
    properties = pika.BasicProperties(delivery_mode=2) if raw is None else wire.RawProperties(raw)
    with rig.vhost.raw() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        channel.basic_publish("", QUEUE, text, properties, mandatory=True)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(wire.properties((b"sent-at", MILLISECONDS)), id="milliseconds"),
        pytest.param(wire.properties((b"a", b"F" + wire.table((b"b", MILLISECONDS)))), id="nested"),
        pytest.param(wire.properties((b"\xff\xfe", b"V"), message_id=BINARY_ID), id="binary"),
        pytest.param(wire.properties((b"big", HUGE)), id="huge"),
    ],
)
def test_a_task_with_such_properties_is_done_among_others(rig: Rig, raw: bytes) -> None:
    rig.comfyui()
    worker = rig.worker()
    for number in range(GOOD):
        if number == 2:
            publish(rig, good(), raw)
        publish(rig, good())
    ends = rig.wait_ends(GOOD + 1, 60)
    assert {end.outcome for end in ends} == {"succeeded"}
    assert {end.attempt for end in ends} == {1}
    assert worker.popen.poll() is None
    assert len(worker.events("amqp_connected")) == 2, (
        "one connection to consume, one to publish, and no other"
    )
    assert not worker.events("amqp_disconnected")


@pytest.mark.parametrize(
    ("raw", "kept", "left_out"),
    [
        (wire.properties((b"sent-at", MILLISECONDS), (b"ratio", wire.double(0.75))), {"ratio": 0}, None),
        (wire.properties((b"\xff\xfe", b"V"), (b"trace", wire.longstr(b"x"))), {"0xfffe": None}, None),
        (wire.properties((b"big", HUGE), (b"trace", wire.longstr(b"x"))), {"trace": "x"}, "big"),
    ],
    ids=["milliseconds", "binary", "huge"],
)
def test_a_dead_letter_is_as_it_came_or_says_what_it_lacks(
    rig: Rig, raw: bytes, kept: dict[str, object], left_out: str | None
) -> None:
    """Read by pika here, which cuts 0.75 to 0."""
    rig.comfyui()
    worker = rig.worker()
    publish(rig, {**good(), "width": -1}, raw)
    publish(rig, b"no json", raw)
    publish(rig, good())
    rig.wait_ends(2)
    letters = until(lambda: rig.vhost.ready(rig.config.dead_queue) == 2 and rig.dead_letters(), "two letters")
    assert {letter.headers[headers.REASON] for letter, _ in letters} == {"InvalidTask", "InvalidMessage"}
    for letter, _ in letters:
        assert kept.items() <= letter.headers.items()
        assert letter.headers.get(headers.LEFT_OUT) == left_out
        assert "sent-at" not in letter.headers or letter.headers["sent-at"] == 1_795_000_000_000
    assert bool(worker.events("message_sent_without")) == (left_out is not None)
    assert not worker.events("amqp_disconnected")


def test_a_retry_keeps_a_binary_id_and_a_float(rig: Rig) -> None:
    """The id is the task's identity: as the retry, and as the same message sent twice."""
    rig.comfyui()
    rig.worker()
    raw = wire.properties((b"ratio", wire.double(0.75)), (b"at", MILLISECONDS), message_id=BINARY_ID)
    body = {"prompt": "x [standin:oom:once]", "width": 64, "height": 64, "steps": 1}
    publish(rig, body, raw)
    (end,) = rig.wait_ends(1)
    assert (end.outcome, end.attempt, end.task_id) == ("succeeded", 2, f"0x{BINARY_ID.hex()}")
    publish(rig, body, raw)
    assert len(rig.wait_ends(1)) == 1


def test_expiration_becomes_a_header_of_a_dead_letter(rig: Rig) -> None:
    rig.comfyui()
    rig.worker()
    rig.send(b"no json", expiration="300", content_encoding="gzip", type="task")
    ((letter, _),) = until(lambda: rig.vhost.ready(rig.config.dead_queue) and rig.dead_letters(), "a letter")
    assert (letter.expiration, letter.headers[headers.EXPIRATION]) == (None, "300")
    assert (letter.content_encoding, letter.type, letter.content_type) == ("gzip", "task", None)


def test_the_broker_takes_the_last_net(rig: Rig) -> None:
    """The policy is accepted, and nothing that is not a number gets past RabbitMQ itself."""
    found = rig.vhost.api("GET", f"policies/{rig.vhost.name}")
    limits = {item["pattern"]: item["definition"].get("delivery-limit") for item in found}
    assert limits[f"^{QUEUE}$"] == 1000
    assert limits[f"^{QUEUE}\\.dead$"] == (-1 if rig.vhost.version >= (4, 0, 0) else None)
    try:
        publish(rig, good(), wire.properties((b"nan", wire.double(math.nan))))
    except pika.exceptions.AMQPError:
        return
    rig.comfyui()
    worker = rig.worker()
    (end,) = rig.wait_ends(1)
    assert end.outcome == "succeeded"
    assert not worker.events("amqp_disconnected")
