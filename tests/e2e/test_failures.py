"""Every way to fail ends in the dead-letter queue, with its reason, after the attempts that it deserves."""

from __future__ import annotations

import json

import pytest

from e2e.lab import Lab
from e2e.manifests import task
from e2e.results import dead, succeeded
from e2e.scenes import letter_of
from genpool_core.messages import headers


@pytest.mark.together
def test_a_retryable_failure_is_tried_max_attempts_times(lab: Lab) -> None:
    with lab.warm() as scene:
        body = task("out-of-memory", "oom")
        scene.send(body)
        run = scene.wait_ends("out-of-memory")["out-of-memory"]
        dead(run, "OutOfMemory", claims=2)
        first = next(claim for claim in run.claims if claim.attempt == 1)
        assert first.failure is not None
        assert first.failure.retryable
        letter = scene.wait_dead_letter(letter_of(run.task_key), "out-of-memory")
        assert json.loads(letter.body) == body
        assert letter.headers[headers.REASON] == "OutOfMemory"
        assert letter.headers[headers.ATTEMPTS] == 2
        assert "memory" in letter.headers[headers.MESSAGE]


@pytest.mark.together
def test_a_failing_node_is_dead_at_once(lab: Lab) -> None:
    with lab.warm() as scene:
        scene.send(task("bad-node", "fail-node"))
        run = scene.wait_ends("bad-node")["bad-node"]
        end = dead(run, "NodeFailed", claims=1)
        assert "KSampler" in end.message
        letter = scene.wait_dead_letter(letter_of(run.task_key), "bad-node")
        assert letter.headers[headers.REASON] == "NodeFailed"
        assert letter.headers[headers.ATTEMPTS] == 1


@pytest.mark.together
@pytest.mark.parametrize("body", [b"no JSON at all {", b'["a list"]'], ids=["not JSON", "not an object"])
def test_a_message_that_is_no_task_is_dead_at_once(lab: Lab, body: bytes) -> None:
    with lab.warm() as scene:
        scene.send(body)
        letter = scene.wait_dead_letter(lambda letter: letter.body == body, repr(body))
        assert letter.headers[headers.REASON] == "InvalidMessage"
        assert "Send one JSON object" in letter.headers[headers.MESSAGE]


@pytest.mark.together
def test_a_task_that_nobody_can_do_is_dead_at_once(lab: Lab) -> None:
    with lab.warm() as scene:
        scene.send(task("unheard-of", workflow_type="unheard-of"))
        run = scene.wait_ends("unheard-of")["unheard-of"]
        assert run.end is not None
        assert (run.end.outcome, run.end.reason) == ("dead", "InvalidTask")
        letter = scene.wait_dead_letter(letter_of(run.task_key), "unheard-of")
        assert "unheard-of" in letter.headers[headers.MESSAGE]


@pytest.mark.together(seconds=50)
def test_a_crash_of_comfyui_costs_one_attempt(lab: Lab) -> None:
    with lab.scene("crash", scaling={"minReplicas": 1}) as scene:
        scene.apply()
        scene.send(task("crashing", "crash:once"))
        run = scene.wait_ends("crashing")["crashing"]
        assert succeeded(scene, run).attempt == 2
