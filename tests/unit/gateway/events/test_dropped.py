"""A worker that announces an end before its time has dropped the message: a table."""

from __future__ import annotations

import pytest

from genpool_core import names
from genpool_core.ledger.records import Outcome
from genpool_core.messages.amqp import Delivery, Properties
from genpool_gateway.events.read import tells_of_dropped
from support.task_changes import change, end_record

WORKER, GATEWAY = names.worker_user("uid-1", "0" * 8), names.gateway_user("0" * 8)


@pytest.mark.parametrize(
    ("sender", "outcome", "dropped"),
    [
        (WORKER, "cancelled", True),
        (WORKER, "expired", True),
        (WORKER, "succeeded", False),
        (WORKER, "dead", False),
        (GATEWAY, "cancelled", False),
        (None, "cancelled", False),
    ],
)
def test_who_has_dropped_it(sender: str | None, outcome: Outcome, *, dropped: bool) -> None:
    told = change("a", "ended", end=end_record("a", outcome))
    assert tells_of_dropped(Delivery(b"", properties=Properties(user_id=sender)), told) is dropped


def test_a_claim_drops_nothing() -> None:
    assert not tells_of_dropped(Delivery(b"", properties=Properties(user_id=WORKER)), change("a", "claimed"))
