"""What an end record says of the task, the attempt and the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fakes.worker_world import CONFIG, PHOTO, TEXT
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import Claim, EndRecord, Output
from genpool_core.tasks.check import validate
from genpool_core.workflow.catalog import Catalog
from genpool_worker.pipeline.end_record import AttemptInfo, Ending, end_record, succeeded

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REF = TaskRef("t1", "key", 2)
CLAIM = Claim(
    task_key="key",
    run=2,
    attempt=3,
    nonce="n",
    worker="w1",
    claimed_at=NOW - timedelta(seconds=9),
    timeout_seconds=60,
)
OUTPUT = Output(key="k", bucket="b", node="9", kind="images", content_type="image/png", bytes=1, sha256="ab")
VALIDATED = validate({"prompt": "x", "seed": 7}, CONFIG, Catalog((TEXT, PHOTO)))


def test_the_end_of_an_attempt() -> None:
    record = end_record(
        REF,
        succeeded([OUTPUT]),
        AttemptInfo(3, "n", CLAIM, VALIDATED),
        worker="w1",
        callback_url="https://c.example/",
        now=NOW,
    )
    assert record == EndRecord(
        task_key="key",
        task_id="t1",
        run=2,
        attempt=3,
        nonce="n",
        outcome="succeeded",
        reason="Succeeded",
        message="made 1 file.",
        worker="w1",
        workflow="text-to-image",
        seed=7,
        parameters={"prompt": "x", "seed": 7},
        callback_url="https://c.example/",
        outputs=[OUTPUT],
        started_at=NOW - timedelta(seconds=9),
        ended_at=NOW,
    )


def test_the_end_of_a_task_that_was_never_begun() -> None:
    ending = Ending("dead", "InvalidTask", "no prompt.")
    record = end_record(REF, ending, AttemptInfo(0, "n"), worker="w1", callback_url=None, now=NOW)
    assert (record.outcome, record.reason, record.message) == ("dead", "InvalidTask", "no prompt.")
    assert (record.attempt, record.started_at, record.ended_at) == (0, None, NOW)
    assert (record.workflow, record.seed, record.parameters, record.outputs) == (None, None, {}, [])


@pytest.mark.parametrize(("count", "message"), [(1, "made 1 file."), (2, "made 2 files.")])
def test_the_message_of_a_good_end(count: int, message: str) -> None:
    assert succeeded([OUTPUT] * count).message == message
