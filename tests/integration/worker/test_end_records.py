"""What an end record says, on real parts: of a success, a failing node, a retry and a worker that was killed."""

from __future__ import annotations

import hashlib
import json
import signal
from datetime import UTC, datetime, timedelta

import pytest

from genpool_core.canonical import canonical_json
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.events import TaskEnded
from genpool_dev.comfyui.profiles import PROFILES
from integration.broker import until
from integration.worker.rig import REPOSITORY, Rig
from integration.worker.test_tasks import HOOK, text_task

DIGEST = f"sha256:{'0a' * 32}"
IMAGE = f"registry.example/comfyui@{DIGEST}"


def in_order(end: EndRecord) -> bool:
    """Whether each step's time is known, and none is before the step before it."""
    times = end.times
    steps = [times.claimed, times.fetched, times.submitted, times.finished, times.stored, times.ended]
    known = [step for step in steps if step is not None]
    return len(known) == len(steps) and known == sorted(known)


@pytest.mark.parametrize("version", sorted(PROFILES))
def test_a_success(rig: Rig, version: str) -> None:
    rig.configure(gpus=2, comfyui_image=IMAGE)
    rig.comfyui("--standin-version", version, "--standin-step-seconds", "0.2")
    rig.worker()
    before = datetime.now(UTC)
    rig.send(text_task(steps=5, seed=7), timestamp=int(before.timestamp()))
    (end,) = rig.wait_ends(1)

    assert (end.code, end.reason, end.node, end.log_lines) == (0, "Succeeded", None, [])
    assert (end.seed, end.parameters["seed"], end.parameters["steps"]) == (7, 7, 5)
    template = json.loads((REPOSITORY / "workflows" / "text-to-image" / "template.json").read_bytes())
    assert end.template_digest == hashlib.sha256(canonical_json(template)).hexdigest()
    assert (end.comfyui_version, end.comfyui_image, end.image_digest) == (version, IMAGE, DIGEST)
    (attempt,) = end.attempts
    assert (attempt.attempt, attempt.worker, attempt.outcome) == (1, "worker-0", "succeeded")
    assert in_order(end)
    assert end.times.enqueued == before.replace(microsecond=0)
    assert end.times.started is not None
    assert end.times.finished is not None
    # Five steps of 0.2 s, on two GPUs; drawing the picture takes the rest.
    assert end.times.finished - end.times.started >= timedelta(seconds=1)
    assert end.gpu_seconds == attempt.gpu_seconds
    assert end.gpu_seconds == pytest.approx(
        2 * (end.times.finished - end.times.started).total_seconds(), abs=0.01
    )

    (told,) = [event for event in rig.events() if isinstance(event, TaskEnded)]
    assert told.record == end.model_copy(update={"callback_url": HOOK.partition("?")[0]})
    (callback,) = rig.callbacks()
    assert callback.end == end


def test_a_failing_node(rig: Rig) -> None:
    """Only the lines of its own prompt are there, whatever the time zone of ComfyUI's container."""
    rig.comfyui("--standin-step-seconds", "0.05", TZ="Asia/Kathmandu")
    rig.worker()
    rig.send(text_task(prompt="the one before [standin:fail-node]"))
    rig.wait_ends(1)
    rig.send(text_task(prompt="[standin:fail-node]"))
    first, second = sorted(rig.wait_ends(2), key=lambda end: end.ended_at)
    for end in (first, second):
        assert (end.outcome, end.reason, end.code) == ("dead", "NodeFailed", 2001)
        assert end.node is not None
        assert (end.node.class_type, end.node.exception_type) == ("KSampler", "RuntimeError")
        assert [line for line in end.log_lines if line.startswith("got prompt")] == ["got prompt"]
        assert any(line.startswith("!!! Exception during processing !!!") for line in end.log_lines)
        assert any(line.startswith("RuntimeError: ") for line in end.log_lines)
        assert end.gpu_seconds is not None
        assert end.gpu_seconds >= 0.1
        assert end.times.stored is None


def test_a_retry(rig: Rig) -> None:
    rig.comfyui("--standin-step-seconds", "0.1")
    rig.worker()
    rig.send(text_task(prompt="[standin:oom]", steps=4))
    (end,) = rig.wait_ends(1)
    assert (end.reason, end.code, end.attempt) == ("OutOfMemory", 2002, 3)
    assert [(item.attempt, item.outcome, item.reason) for item in end.attempts] == [
        (number, "failed", "OutOfMemory") for number in (1, 2, 3)
    ]
    used = [item.gpu_seconds for item in end.attempts]
    assert all(seconds is not None and seconds >= 0.2 for seconds in used)
    assert end.gpu_seconds == pytest.approx(sum(seconds or 0 for seconds in used), abs=0.01)
    assert end.node is not None
    assert [claim.gpu_seconds for claim in rig.claims()][:2] == used[:2]


def test_a_worker_that_was_killed(rig: Rig) -> None:
    """What it used of the card is known until it was last seen at work."""
    rig.configure(max_attempts=1)
    rig.comfyui()
    killed = rig.worker("worker-0")
    rig.send(text_task(prompt="[standin:slow=60]"))
    until(lambda: any(claim.started_at for claim in rig.claims()), "a renewal says that it runs", 20)
    killed.signal(signal.SIGKILL)
    killed.wait()
    # A worker of that name is a new life of the same pod: it need not wait for the lease.
    rig.worker("worker-0")
    (end,) = rig.wait_ends(1, 60)
    assert (end.outcome, end.reason, end.code) == ("dead", "WorkerLost", 4001)
    (attempt,) = end.attempts
    assert (attempt.outcome, attempt.ended_at) == ("lost", None)
    assert attempt.gpu_seconds is not None
    assert 2 < attempt.gpu_seconds < 20
    assert end.gpu_seconds == attempt.gpu_seconds
    assert end.comfyui_version is None
