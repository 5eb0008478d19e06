"""When and which messages of cancelled tasks are taken out of a queue: tables."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from genpool_core import names, timing
from genpool_core.identity import task_key
from genpool_core.messages.amqp import Delivery, Properties
from genpool_gateway.janitor.take_out import QueueSeen, may_take_out, reported, sort_out

IDLE = QueueSeen(cancelled=2, unchanged=timing.BACKLOG_SECONDS, ready=3, consumers=0, waited=None)


@pytest.mark.parametrize(
    ("seen", "may"),
    [
        (IDLE, True),
        (replace(IDLE, consumers=1), False),
        (replace(IDLE, ready=0), False),
        (replace(IDLE, cancelled=0), False),
        (replace(IDLE, unchanged=0.0), False),
        (replace(IDLE, waited=timing.TAKE_OUT_SECONDS - 1), False),
        (replace(IDLE, waited=timing.TAKE_OUT_SECONDS), True),
        (replace(IDLE, worn=True), False),
    ],
)
def test_when(seen: QueueSeen, *, may: bool) -> None:
    assert may_take_out(seen) is may


def message(task: str, deliveries: int = 0, user: str | None = None) -> Delivery:
    return Delivery(
        json.dumps({"task_id": task}).encode(),
        headers={"x-delivery-count": deliveries, "x-genpool-owner": "key-1"},
        properties=Properties(user_id=user),
    )


def test_which() -> None:
    gateway = names.gateway_user("0" * 8)
    ended = {(task_key("uid", "a", {"task_id": "a"}, tenant="key-1"), 1)}
    mine, strangers, other = message("a", user=gateway), message("a"), message("b", user=gateway)
    junk = Delivery(b"no json")
    found = sort_out([other, mine, junk, strangers, mine], "uid", ended)
    assert (found.drop, found.keep) == ((mine, mine), (other, junk, strangers))
    assert found.dropped == {task for task, _ in ended}
    assert not found.worn
    assert sort_out([message("b", timing.DELIVERY_LIMIT // 2)], "uid", ended).worn


@pytest.mark.parametrize(
    ("cancelled", "ready", "zero_for", "told"),
    [
        pytest.param(3, None, 0, 3, id="unknown"),
        pytest.param(3, 2, 0, 2, id="fewer wait"),
        pytest.param(1, 9, 0, 1, id="more wait"),
        pytest.param(3, 0, 0, 3, id="a leader that does not answer in time says 0"),
        pytest.param(3, 0, timing.LIST_LAG_SECONDS, 3, id="it may still be so"),
        pytest.param(3, 0, timing.LIST_LAG_SECONDS + 1, 0, id="it is so"),
    ],
)
def test_never_more_is_told_than_waits(cancelled: int, ready: int | None, zero_for: float, told: int) -> None:
    assert reported(cancelled, ready, zero_for) == told
