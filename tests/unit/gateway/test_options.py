"""What is no part of a task's identity: which of it a repeat says otherwise, and what the task shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from genpool_gateway.api.submission import SubmitTask, new_task
from genpool_gateway.pools.check import check_request
from genpool_gateway.tasks.options import OPTIONS, differing
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import Position, TaskRecord
from genpool_gateway.tasks.view import Beside, view_of
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW

POOLS = directory(pool_object("pictures"))
URL, OTHER_URL = "https://hooks.example/done?key=1", "https://hooks.example/done?key=2"
LATER = timedelta(minutes=7, microseconds=3)


def sent(after: timedelta = timedelta(), **fields: Any) -> NewTask:  # noqa: ANN401 - of the request
    request = SubmitTask.model_validate({"task_id": "order-1", "parameters": {"prompt": "a lake"}, **fields})
    checked = check_request(POOLS, request.request(), new_id="t")
    return new_task(request, checked, "key-1", NOW + after, key=None)


def said_otherwise(first: NewTask, again: NewTask, **changes: Any) -> tuple[str, ...]:  # noqa: ANN401 - of the record
    assert first.record.id == again.record.id
    return differing(again.given, again.record, replace(first.record, **changes))


FULL: dict[str, Any] = {
    "metadata": {"album": 7, "public": True},
    "priority": 3,
    "start_within_seconds": 60,
    "end_within_seconds": 600,
    "callback_url": URL,
    "callback_events": ["start", "output"],
}
SILENT = {"callback_events": ["start"]}


@pytest.mark.parametrize(
    ("first", "again", "names"),
    [
        (FULL, FULL, ()),
        (FULL, {}, ()),
        ({}, {}, ()),
        ({}, {"metadata": {}, "callback_events": ["end"], "priority": None}, ()),
        (FULL, {**FULL, "callback_events": ["output", "start"]}, ()),
        (FULL, {"metadata": {"album": 8}}, ("metadata",)),
        (FULL, {"metadata": {"album": 7, "public": 1}}, ("metadata",)),
        (FULL, {"metadata": {}}, ("metadata",)),
        ({}, {"metadata": {"album": 7}}, ("metadata",)),
        ({}, {"priority": 0}, ("priority",)),
        (FULL, {"priority": 9, "start_within_seconds": 61}, ("priority", "start_within_seconds")),
        ({}, {"end_within_seconds": 600}, ("end_within_seconds",)),
        ({**SILENT, "callback_url": URL}, {**SILENT, "callback_url": OTHER_URL}, ("callback_url",)),
        ({**SILENT, "callback_url": URL}, {**SILENT, "webhook_url": OTHER_URL}, ("callback_url",)),
        ({**SILENT, "callback_url": URL}, {**SILENT, "webhook_url": URL}, ()),
        ({}, {"callback_events": []}, ("callback_events",)),
    ],
)
def test_what_a_repeat_says_otherwise(
    first: dict[str, Any], again: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert said_otherwise(sent(**first), sent(LATER, **again)) == names


def test_a_replay_has_no_limits_that_a_repeat_could_say_otherwise() -> None:
    first = sent(**FULL)
    assert first.record.submission is not None
    free = replace(first.record.submission, start_by=None, end_by=None)
    second_run = {"position": Position(2, ended=False, attempt=0, rank=0), "submission": free}
    assert said_otherwise(first, sent(LATER, **FULL), **second_run) == ()
    assert said_otherwise(first, sent(LATER, **{**FULL, "priority": 4}), **second_run) == ("priority",)


def test_where_nobody_knows_what_was_sent_first_nothing_differs() -> None:
    assert said_otherwise(sent(**FULL), sent(metadata={"album": 8}), submission=None) == ()


def test_every_field_of_a_request_is_identity_or_an_option() -> None:
    identity = {"pool", "workflow", "parameters", "graph", "task_id", "webhook_url"}
    assert SubmitTask.model_fields.keys() == identity | OPTIONS.keys()


def test_a_task_shows_its_options_as_they_were_sent() -> None:
    def shown(record: TaskRecord) -> dict[str, Any]:
        names = {"callback_events", "start_within_seconds", "end_within_seconds", "priority", "metadata"}
        return view_of(record, Beside()).model_dump(include=names)

    assert shown(sent(**FULL).record) == {
        name: value for name, value in FULL.items() if name != "callback_url"
    }
    plain = replace(sent().record, submission=None)
    assert shown(plain) == {
        **dict.fromkeys(("callback_events", "start_within_seconds", "end_within_seconds", "priority")),
        "metadata": {},
    }
