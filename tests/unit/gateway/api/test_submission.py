"""A task as it was sent, and the one that is stored."""

from __future__ import annotations

import json

import pytest

from genpool_gateway.api.submission import SubmitTask, new_task
from genpool_gateway.pools.check import check_request
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW

POOLS = directory(pool_object("pictures"))
URL = "https://hooks.example/done"


@pytest.mark.parametrize(
    ("events", "announced"),
    [(["end"], True), (["start", "end"], True), (["start", "output"], False), ([], False)],
)
def test_a_message_has_the_callbacks_url_only_where_the_end_is_asked_for(
    events: list[str], *, announced: bool
) -> None:
    sent = SubmitTask.model_validate(
        {"parameters": {"prompt": "a lake"}, "callback_url": URL, "callback_events": events}
    )
    made = new_task(sent, check_request(POOLS, sent.request(), new_id="t"), "key-1", NOW).record
    assert made.submission is not None
    assert ("callback_url" in json.loads(made.submission.body)) is announced
    assert (made.callback_url, made.submission.callback_events) == (URL, tuple(events))
