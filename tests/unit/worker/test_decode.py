"""Which task a delivery is."""

from __future__ import annotations

import json

import pytest

from genpool_core.identity import DEFAULT_TENANT, task_key
from genpool_core.ledger.decide import DeliveryInfo
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.tasks.decode import TaskDelivery, Undecodable, UnidentifiedTask, decode

OURS = "genpool.worker.uid.0a1b2c3d"
GATEWAY = "genpool.gateway.0a1b2c3d"
OTHERS = "genpool.worker.another.0a1b2c3d"


@pytest.mark.parametrize("other", ["producer", "genpool", OTHERS, None])
def test_the_sender_decides_which_headers_count(other: str | None) -> None:
    """Those of the pool's own workers count, and nobody else's."""
    own = {headers.ATTEMPT: 2, headers.RUN: 3, "trace": "x"}
    trusted = decode(Delivery(b'{"task_id": "a"}', own, Properties(user_id=OURS)), "uid")
    plain = decode(Delivery(b'{"task_id": "a"}', own, Properties(user_id=other)), "uid")
    assert isinstance(trusted, TaskDelivery)
    assert isinstance(plain, TaskDelivery)
    assert (trusted.ref.run, trusted.info) == (3, DeliveryInfo(redelivered=False, failed_attempt=2))
    assert (plain.ref.run, plain.info) == (1, DeliveryInfo(redelivered=False, failed_attempt=None))
    assert trusted.ref.key == plain.ref.key


@pytest.mark.parametrize(
    ("user_id", "given", "owner", "run", "attempt"),
    [
        (GATEWAY, {headers.OWNER: "k1"}, "k1", 1, None),
        (GATEWAY, {headers.OWNER: "k1", headers.RUN: 2}, "k1", 2, None),
        (GATEWAY, {headers.OWNER: "k1", headers.ATTEMPT: 2}, "k1", 1, None),
        (GATEWAY, {headers.RUN: 2}, None, 2, None),
        (GATEWAY, {headers.OWNER: ""}, None, 1, None),
        (GATEWAY, {headers.OWNER: 7}, None, 1, None),
        (OURS, {headers.OWNER: "k1", headers.RUN: 2, headers.ATTEMPT: 1}, "k1", 2, 1),
        (OTHERS, {headers.OWNER: "k1", headers.RUN: 2}, None, 1, None),
        ("producer", {headers.OWNER: "k1", headers.RUN: 2}, None, 1, None),
        (None, {headers.OWNER: "k1"}, None, 1, None),
    ],
)
def test_whose_task_it_is(
    user_id: str | None, given: dict[str, object], owner: str | None, run: int, attempt: int | None
) -> None:
    """The gateway says so; copies that the pool's workers publish keep it."""
    body = {"task_id": "a"}
    found = decode(Delivery(json.dumps(body).encode(), given, Properties(user_id=user_id)), "uid")
    assert isinstance(found, TaskDelivery)
    assert (found.owner, found.ref.run, found.info.failed_attempt) == (owner, run, attempt)
    assert found.ref.key == task_key("uid", "a", body, tenant=owner or DEFAULT_TENANT)


@pytest.mark.parametrize(
    ("user_id", "given", "made_for", "owner"),
    [
        (GATEWAY, {headers.OWNER: "k1", headers.POOL: "uid"}, "uid", "k1"),
        (GATEWAY, {headers.OWNER: "k1", headers.POOL: "another"}, "another", "k1"),
        (GATEWAY, {headers.OWNER: "k1", headers.POOL: ["another"]}, "uid", "k1"),
        (OURS, {headers.OWNER: "k1", headers.POOL: "another"}, "another", "k1"),
        (OTHERS, {headers.OWNER: "k1", headers.POOL: "another"}, "another", "k1"),
        (OTHERS, {headers.OWNER: "k1", headers.POOL: "uid"}, "uid", None),
        (OTHERS, {headers.OWNER: "k1", headers.POOL: ["another"]}, "uid", None),
        (OTHERS, {headers.OWNER: "k1"}, "uid", None),
        ("producer", {headers.OWNER: "k1", headers.POOL: "another"}, "uid", None),
    ],
)
def test_a_task_of_a_pool_that_was_made_again_is_still_the_same(
    user_id: str, given: dict[str, object], made_for: str, owner: str | None
) -> None:
    """Its key was made of the old pool's UID: the gateway says so, and so did the old pool's own workers."""
    found = decode(Delivery(b'{"task_id": "a"}', given, Properties(user_id=user_id)), "uid")
    assert isinstance(found, TaskDelivery)
    assert found.owner == owner
    assert found.ref.key == task_key(made_for, "a", {"task_id": "a"}, tenant=owner or DEFAULT_TENANT)


@pytest.mark.parametrize(
    ("body", "message_id", "task_id"),
    [
        (b'{"task_id": "a"}', "m", "a"),
        (b'{"task_id": 7}', None, "7"),
        (b"{}", "m", "m"),
        (b'{"task_id": ""}', "m", "m"),
        (b'{"task_id": [1]}', "m", "m"),
    ],
)
def test_identity(body: bytes, message_id: str | None, task_id: str) -> None:
    found = decode(Delivery(body, properties=Properties(message_id=message_id)), "uid")
    assert isinstance(found, TaskDelivery)
    assert found.ref.task_id == task_id


@pytest.mark.parametrize("body", [b"{}", b'{"task_id": null, "prompt": "x"}', b'{"task_id": [1]}'])
def test_no_identity(body: bytes) -> None:
    assert isinstance(decode(Delivery(body), "uid"), UnidentifiedTask)


def test_no_task() -> None:
    found = decode(Delivery(b"[]"), "uid")
    assert isinstance(found, Undecodable)
    assert found.failure.reason == "InvalidMessage"
