"""Events, callbacks and records: versions overlap, repeated announcements are equal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from genpool_core.ledger.records import Claim, EndRecord, Output
from genpool_core.messages.base import PoolRef
from genpool_core.messages.callbacks import CallbackBody, CallbackMessage, callback_body
from genpool_core.messages.events import EVENT, TaskEnded, TaskProgress, WorkerHeartbeat

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
POOL = PoolRef(namespace="demo", name="photo", uid="uid")
OUTPUT = Output(
    key="tasks/k/runs/1/a1-n/0.png",
    bucket="genpool",
    node="3",
    kind="images",
    content_type="image/png",
    bytes=10,
    sha256="ab",
    width=64,
    height=64,
)
END = EndRecord(
    task_key="k",
    task_id="task_12345",
    run=1,
    attempt=2,
    nonce="n",
    outcome="succeeded",
    reason="Succeeded",
    message="1 output.",
    worker="pod",
    workflow="DDColor人物黑白修复.json",
    parameters={"size": 680},
    callback_url="https://client.example/hook",
    outputs=[OUTPUT],
    started_at=NOW,
    ended_at=NOW,
)


def test_a_record_survives_the_bucket() -> None:
    assert EndRecord.model_validate_json(END.model_dump_json()) == END


def test_what_a_newer_version_adds_is_ignored() -> None:
    raw = {**json.loads(END.model_dump_json()), "schema_version": 2, "added_later": {"a": 1}}
    assert EndRecord.model_validate(raw).task_id == "task_12345"


def test_a_claim_of_the_version_before_the_lease_is_read() -> None:
    raw: dict[str, Any] = {
        "task_key": "k",
        "run": 1,
        "attempt": 1,
        "nonce": "n",
        "worker": "pod",
        "claimed_at": NOW,
        "timeout_seconds": 60,
    }
    assert Claim.model_validate(raw).renewed_at is None


def test_the_callback_says_how_it_ended_and_where_the_files_are() -> None:
    body = callback_body(END, POOL, {OUTPUT.key: "https://s3.example/signed"})
    assert (body.task_id, body.outcome, body.type) == ("task_12345", "succeeded", "task.ended")
    assert [(output.key, output.url) for output in body.outputs] == [
        (OUTPUT.key, "https://s3.example/signed")
    ]
    assert callback_body(END, POOL, {}).outputs[0].url is None
    message = CallbackMessage(id="i", url="https://client.example/hook", body=body)
    assert CallbackMessage.model_validate_json(message.model_dump_json()) == message
    assert "nonce" not in CallbackBody.model_fields


@pytest.mark.parametrize(
    "event",
    [
        TaskProgress(
            id="1", pool=POOL, worker="w", time=NOW, task_id="t", task_key="k", run=1, attempt=1, value=0.5
        ),
        TaskEnded(
            id="2",
            pool=POOL,
            worker="w",
            time=NOW,
            task_id="t",
            task_key="k",
            run=1,
            attempt=1,
            outcome="dead",
            reason="NodeFailed",
            message="no",
        ),
        WorkerHeartbeat(id="3", pool=POOL, worker="w", time=NOW, state="idle", since=NOW),
    ],
)
def test_an_event_is_read_as_its_type(event: Any) -> None:  # noqa: ANN401 - one of the union
    assert EVENT.validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "task.dreamt"}, "task.dreamt"),
        ({"value": 1.5}, "less than or equal to 1"),
        ({"value": None}, "valid number"),
    ],
)
def test_an_event_that_is_none(change: dict[str, Any], said: str) -> None:
    good = TaskProgress(
        id="1", pool=POOL, worker="w", time=NOW, task_id="t", task_key="k", run=1, attempt=1, value=0.5
    )
    with pytest.raises(ValidationError, match=said):
        EVENT.validate_python({**good.model_dump(), **change})
