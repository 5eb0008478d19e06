"""What an end record says of the task, the attempt and the run."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from fakes.worker_world import CONFIG, PHOTO, TEXT
from genpool_core.canonical import canonical_json
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import AttemptRecord, Claim, EndRecord, FailedNode, Output, Times
from genpool_core.tasks.check import shown_parameters, validate
from genpool_core.workflow.bind import Bound
from genpool_core.workflow.catalog import Catalog
from genpool_core.workflow.schema import Scalar
from genpool_worker.comfyui.run_times import RunTimes
from genpool_worker.errors import NodeFailed
from genpool_worker.pipeline.end_record import AttemptInfo, Ending, Ran, Surroundings, end_record, succeeded
from genpool_worker.pipeline.trace import AttemptTrace

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


AROUND = Surroundings(
    worker="w1",
    owner="key-1",
    callback_url="https://c.example/",
    enqueued=NOW - timedelta(seconds=20),
    ran=Ran("0.33.0", "comfyui:1", "sha256:0a"),
    gpus=2,
)


def at(seconds: float) -> datetime:
    """So many seconds after the claim."""
    return CLAIM.claimed_at + timedelta(seconds=seconds)


def trace() -> AttemptTrace:
    runs = [RunTimes(at(2), at(3), at(4), at(7))]
    return AttemptTrace(gpus=2, fetched=at(1), stored=at(8), runs=runs)


def test_the_end_of_an_attempt() -> None:
    by = AttemptInfo(3, "n", (CLAIM,), VALIDATED, trace())
    record = end_record(REF, succeeded([OUTPUT]), by, AROUND, NOW)
    assert record == EndRecord(
        task_key="key",
        task_id="t1",
        run=2,
        attempt=3,
        nonce="n",
        outcome="succeeded",
        reason="Succeeded",
        code=0,
        message="made 1 file.",
        worker="w1",
        owner="key-1",
        workflow="text-to-image",
        template_digest=hashlib.sha256(canonical_json(TEXT.template)).hexdigest(),
        seed=7,
        parameters={"prompt": "x", "seed": 7},
        callback_url="https://c.example/",
        outputs=[OUTPUT],
        attempts=[
            AttemptRecord(
                attempt=3,
                worker="w1",
                claimed_at=CLAIM.claimed_at,
                ended_at=NOW,
                outcome="succeeded",
                gpu_seconds=6.0,
            )
        ],
        gpu_seconds=6.0,
        comfyui_version="0.33.0",
        comfyui_image="comfyui:1",
        image_digest="sha256:0a",
        times=Times(
            enqueued=NOW - timedelta(seconds=20),
            claimed=CLAIM.claimed_at,
            fetched=at(1),
            submitted=at(3),
            started=at(4),
            finished=at(7),
            stored=at(8),
            ended=NOW,
        ),
        started_at=NOW - timedelta(seconds=9),
        ended_at=NOW,
    )


def test_the_end_of_a_task_that_was_never_begun() -> None:
    ending = Ending("dead", "InvalidTask", "no prompt.")
    record = end_record(REF, ending, AttemptInfo(0, "n"), AROUND, NOW)
    assert (record.outcome, record.reason, record.message) == ("dead", "InvalidTask", "no prompt.")
    assert (record.attempt, record.started_at, record.ended_at) == (0, None, NOW)
    assert (record.workflow, record.seed, record.parameters, record.outputs) == (None, None, {}, [])
    assert (record.code, record.attempts, record.gpu_seconds, record.owner) == (1002, [], 0.0, "key-1")
    assert record.times == Times(enqueued=AROUND.enqueued, ended=NOW)
    assert (record.comfyui_version, record.comfyui_image, record.image_digest) == (None, None, None)


def test_the_end_of_an_attempt_that_failed_elsewhere() -> None:
    """The ComfyUI of this pod tells nothing about it."""
    lost = CLAIM.model_copy(update={"started_at": at(2), "renewed_at": at(5), "worker": "w0"})
    ending = Ending("dead", "WorkerLost", "it never ended.")
    record = end_record(REF, ending, AttemptInfo(3, "m", (lost,)), AROUND, NOW)
    assert (record.code, record.worker, record.gpu_seconds) == (4001, "w1", 6.0)
    assert [(item.worker, item.outcome) for item in record.attempts] == [("w0", "lost")]
    assert record.times == Times(enqueued=AROUND.enqueued, claimed=CLAIM.claimed_at, started=at(2), ended=NOW)
    assert record.comfyui_version is None


def test_the_end_of_an_attempt_that_failed_at_a_node() -> None:
    seen = trace()
    node = FailedNode(node_id="3", class_type="KSampler", exception_type="ValueError")
    seen.note(
        NodeFailed("bad.", node="3", class_type="KSampler", error="ValueError: bad", at=node), ["a", "b"]
    )
    by = AttemptInfo(3, "n", (CLAIM,), VALIDATED, seen)
    record = end_record(REF, Ending("dead", "NodeFailed", "bad."), by, AROUND, NOW)
    assert (record.code, record.node, record.log_lines) == (2001, node, ["a", "b"])
    (attempt,) = record.attempts
    assert (attempt.outcome, attempt.reason, attempt.message) == ("failed", "NodeFailed", "bad.")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a cat", "a cat"),
        ("c" * 4000, "c" * 4000),
        ("c" * 4001, f"{'c' * 4000}… (4001 characters)"),
        ("https://u:p@a.example/x?token=s", "https://a.example/x"),
        (f"data:image/png;base64,{'a' * 90_000}", "data:image/png;base64,… (90022 characters)"),
        (7, 7),
        (True, True),
    ],
)
def test_how_a_parameter_is_shown(given: Scalar, shown: Scalar) -> None:
    assert shown_parameters(Bound({"p": given}, ())) == {"p": shown}


@pytest.mark.parametrize(("count", "message"), [(1, "made 1 file."), (2, "made 2 files.")])
def test_the_message_of_a_good_end(count: int, message: str) -> None:
    assert succeeded([OUTPUT] * count).message == message


@pytest.mark.parametrize(
    ("claims", "enqueued", "seconds"),
    [
        ((CLAIM,), NOW - timedelta(seconds=20), 11),
        (
            (CLAIM, CLAIM.model_copy(update={"attempt": 1, "claimed_at": at(-4)})),
            NOW - timedelta(seconds=20),
            7,
        ),
        ((CLAIM,), NOW, 0),
        ((CLAIM,), None, None),
        ((), NOW, None),
    ],
)
def test_the_wait_is_that_for_the_first_attempt(
    claims: tuple[Claim, ...], enqueued: datetime | None, seconds: float | None
) -> None:
    assert AttemptInfo(3, "n", claims).waited(enqueued) == seconds
