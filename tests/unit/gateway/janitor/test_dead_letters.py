"""What RabbitMQ dead-lettered, and what becomes of it: tables."""

from __future__ import annotations

import json

import pytest

from genpool_core import names, timing
from genpool_core.ledger.records import Claim, EndRecord
from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.messages.headers import OWNER
from genpool_core.reasons import REASONS
from genpool_core.tasks.decode import TaskDelivery, decode
from genpool_gateway.janitor.dead_letters import (
    CAUSES,
    Announce,
    Fate,
    Hold,
    MakeEnd,
    Origin,
    about_message,
    fate_of,
    origin_of,
)
from support.pool_objects import PEOPLE, pool_object, served
from unit.gateway.janitor.test_ending import claim, end
from unit.gateway.samples import NOW


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, None),
        ({"x-death": []}, None),
        ({"x-death": "text"}, None),
        ({"x-death": ["text"]}, None),
        ({"x-death": [{"queue": "", "reason": "expired"}]}, None),
        ({"x-death": [{"queue": "q", "reason": 1}]}, None),
        (
            {
                "x-death": [
                    {"queue": "q", "reason": "expired"},
                    {"queue": "genpool.retry.5s", "reason": "expired"},
                ]
            },
            Origin("q", "expired"),
        ),
    ],
)
def test_where_it_was(headers: dict[str, object], origin: Origin | None) -> None:
    assert origin_of(headers) == origin


@pytest.mark.parametrize(
    ("word", "outcome", "reason"),
    [
        ("expired", "expired", "Expired"),
        ("delivery_limit", "dead", "DeliveryLimitReached"),
        ("maxlen", "dead", "QueueOverflowed"),
        ("rejected", "dead", "RejectedByConsumer"),
        ("something new", "dead", "RejectedByConsumer"),
    ],
)
def test_how_it_ends(word: str, outcome: str, reason: str) -> None:
    cause = Origin("q", word).cause
    assert (cause.outcome, cause.reason) == (outcome, reason)
    assert {each.reason for each in CAUSES.values()} <= set(REASONS)


EXPIRED = end("").model_copy(update={"outcome": "expired", "reason": "Expired"})


@pytest.mark.parametrize(
    ("claims", "standing", "age", "redelivered", "fate"),
    [
        ([], None, 0, False, MakeEnd()),
        ([], None, 0, True, MakeEnd()),
        ([claim()], None, 0, False, Hold()),
        ([claim()], None, timing.LEASE_SECONDS + 1, False, MakeEnd()),
        ([claim(failed=True)], None, 0, False, MakeEnd()),
        ([], end(""), 0, True, Announce(end(""), place=False)),
        ([], end("pod"), 0, True, Announce(end("pod"), place=False)),
        ([], EXPIRED, 0, False, Announce(EXPIRED, place=False)),
        ([], EXPIRED, 0, True, Announce(EXPIRED, place=True)),
    ],
)
def test_what_becomes_of_it(
    claims: list[Claim], standing: EndRecord | None, age: float, *, redelivered: bool, fate: Fate
) -> None:
    ages = dict.fromkeys((one.attempt for one in claims), age)
    assert fate_of(claims, standing, ages, redelivered=redelivered) == fate


def test_what_the_message_tells_of_a_task_with_an_upload() -> None:
    pool = served(pool_object("photos", PEOPLE))
    assert pool.serving is not None
    value = f"upload:{'0a' * 16}/a.png"
    body = json.dumps({"task_id": "t", "workflow_type": PEOPLE, "image_url": value}).encode()
    sender = Properties(user_id=names.gateway_user("0a1b2c3d"))
    task = decode(Delivery(body, {OWNER: "key-1"}, sender), pool.ref.uid)
    assert isinstance(task, TaskDelivery)
    about = about_message(task, pool.serving, NOW)
    assert (about.owner, about.workflow) == ("key-1", PEOPLE)
    assert about.parameters is not None
    assert about.parameters["image_url"] == value
