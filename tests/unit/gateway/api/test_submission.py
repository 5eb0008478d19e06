"""A task as it was sent, and the one that is stored."""

from __future__ import annotations

import json

import pytest

from genpool_gateway.api.problems import Problem
from genpool_gateway.api.submission import SubmitTask, new_task
from genpool_gateway.pools.check import check_request
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW

POOLS = directory(pool_object("pictures", security={"allowGraphs": True, "allowGraphsWithPodIdentity": True}))
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


def test_a_task_that_is_too_large_for_a_queue_is_refused_with_what_to_do() -> None:
    _new_graph(60_000)
    with pytest.raises(Problem, match="POST /v1/uploads") as caught:
        _new_graph(64 << 10)
    assert (caught.value.status, caught.value.reason) == (413, "RequestTooLarge")


def _new_graph(characters: int) -> None:
    node = {"class_type": "SaveImage", "inputs": {"filename_prefix": "x" * characters}}
    sent = SubmitTask.model_validate({"pool": "pictures", "graph": {"9": node}})
    new_task(sent, check_request(POOLS, sent.request(), new_id="t"), "key-1", NOW)
