"""Submitting a prompt and waiting for its end, with a ComfyUI that is slow, gone, or forgets."""

from __future__ import annotations

import pytest

from fakes.worker_comfyui import Script, gone
from fakes.worker_world import Node, World, first_attempt
from genpool_core import timing
from genpool_core.errors import AttemptFailed
from genpool_core.identity import prompt_id, task_key
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.comfyui.run import PromptRun
from genpool_worker.errors import ComfyUISilent, HandBack
from genpool_worker.pipeline.attempt import Told

KEY = task_key("pool-uid", "t", {})
PROMPT = prompt_id(KEY, 1, 1)


def run(node: Node) -> list[float]:
    told: list[float] = []
    first_attempt(node, KEY).run(Told(lambda value, _node: told.append(value)))
    return told


def step_number(node: Node, name: str, occurrence: int = 1) -> int:
    """Number of a step in an undisturbed run."""
    run(node)
    found = [index for index, step in enumerate(node.steps.names, start=1) if step == name]
    return found[occurrence - 1]


def test_the_socket_is_open_before_the_prompt_is_posted(world: World) -> None:
    node = world.worker("w1")
    run(node)
    assert node.steps.names.index("comfyui.listen") < node.steps.names.index("comfyui.submit")
    assert node.comfyui.posted == [PROMPT]


def test_a_lost_answer_is_looked_up_before_posting_again(world: World) -> None:
    probe = world.worker("w0")
    number = step_number(probe, "comfyui.submit")
    node = world.worker("w1")
    node.steps.fail_at, node.steps.fail_side = number, "after"
    run(node)
    assert node.comfyui.posted == [PROMPT]
    after = node.steps.names[number:]
    assert after.index("comfyui.where") < after.index("comfyui.history")


def test_a_prompt_that_did_not_arrive_is_posted_again(world: World) -> None:
    number = step_number(world.worker("w0"), "comfyui.submit")
    node = world.worker("w1")
    node.steps.fail_at = number
    run(node)
    assert node.comfyui.posted == [PROMPT]
    assert node.steps.names.count("comfyui.submit") == 2


def test_dropped_outputs_are_a_failure_and_the_prompt_is_stopped(world: World) -> None:
    node = world.worker("w1")
    node.comfyui.node_errors = {"9": {"class_type": "SaveImage", "errors": [{"message": "bad"}]}}
    with pytest.raises(AttemptFailed, match="node 9") as caught:
        run(node)
    assert not caught.value.retryable
    assert node.comfyui.stopped == [PROMPT]


def test_a_run_over_its_time(world: World) -> None:
    node = world.worker("w1", Script("stuck"))
    started = world.clock.time
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert (caught.value.reason, caught.value.retryable) == ("TimedOut", True)
    assert node.comfyui.stopped == [PROMPT]
    assert 600 <= world.clock.time - started < 610


def test_a_prompt_that_comfyui_does_not_know_any_more(world: World) -> None:
    node = world.worker("w1", Script("lost"))
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert (caught.value.reason, caught.value.retryable) == ("ComfyUILost", True)


def test_it_ended_between_two_questions(world: World) -> None:
    """Not in the history, then not in the queue: it may have ended in between."""
    node = world.worker("w1")
    number = step_number(world.worker("w0"), "comfyui.history")

    def hide() -> None:
        entry = node.comfyui.entries.pop(PROMPT)
        node.steps.between[number + 1] = lambda: node.comfyui.entries.update({PROMPT: entry})

    node.steps.between[number] = hide
    run(node)
    assert not node.steps.between
    assert node.steps.names[number - 1 :][:3] == ["comfyui.history", "comfyui.where", "comfyui.history"]
    assert [path for path in world.store.objects if path.endswith(".png")]


def test_a_drain_whose_time_is_over(world: World) -> None:
    node = world.worker("w1", Script("stuck"))
    node.context.drain.begin()
    with pytest.raises(HandBack):
        run(node)
    assert node.comfyui.stopped == [PROMPT]
    assert node.context.drain.overdue


def test_a_drain_while_comfyui_is_silent_or_gone(world: World) -> None:
    for error in (ComfyUISilent("slow"), gone()):
        node = world.worker("w1", Script("stuck"))
        node.context.drain.begin()
        node.steps.fail_on, node.steps.fail_with = "comfyui.history", error
        started = world.clock.time
        with pytest.raises(HandBack):
            run(node)
        assert world.clock.time - started < 30


def test_silence_is_borne_until_the_run_is_over(world: World) -> None:
    node = world.worker("w1")
    calls = ComfyUIRetry(world.clock, node.context.drain, world.clock.monotonic() + 60)

    def silent() -> None:
        world.clock.sleep(10)
        raise ComfyUISilent("slow")

    started = world.clock.time
    with pytest.raises(AttemptFailed) as caught:
        calls.call(silent)
    assert (caught.value.reason, caught.value.retryable) == ("ComfyUIUnresponsive", True)
    assert 60 <= world.clock.time - started < 80


@pytest.mark.parametrize(
    ("down", "seconds"),
    [(None, timing.COMFYUI_POLL_SECONDS), ("comfyui.listen", timing.COMFYUI_POLL_ALONE_SECONDS)],
    ids=["with the socket", "without the socket"],
)
def test_how_often_the_history_is_asked(world: World, down: str | None, seconds: float) -> None:
    node = world.worker("w1", Script("stuck"))
    node.steps.down = down
    node.context.drain.begin()
    world.clock.time += node.context.drain.remaining - 30
    with pytest.raises(HandBack):
        run(node)
    # A frame, and the socket that changed, are a reason to ask once more each.
    assert 30 / seconds - 1 <= node.steps.names.count("comfyui.history") <= 30 / seconds + 2


def test_submitting_to_a_comfyui_that_is_gone(world: World) -> None:
    node = world.worker("w1")
    node.steps.fail_at, node.steps.fail_with = 1, gone()
    calls = ComfyUIRetry(world.clock, node.context.drain, world.clock.monotonic() + 60)
    with pytest.raises(AttemptFailed) as caught:
        PromptRun(node.comfyui, calls, node.context.wedge, PROMPT, "mark").submit("c", {})
    assert caught.value.reason == "ComfyUILost"


def test_out_of_memory_frees_memory(world: World) -> None:
    node = world.worker("w1", Script("oom"))
    with pytest.raises(AttemptFailed):
        run(node)
    assert node.comfyui.freed == 1


@pytest.mark.parametrize(
    ("error", "message", "reason"),
    [
        ("OSError", "[Errno 5] Input/output error", "VolumeFailed"),
        ("OSError", "[Errno 28] No space left on device", "ScratchFull"),
        ("RuntimeError", "CUDA error: an illegal memory access", "DeviceFailed"),
    ],
)
def test_a_failure_of_the_pods_may_leave_a_node_half_made(
    world: World, error: str, message: str, reason: str
) -> None:
    """A model file that cannot be read to its end is such a failure too."""
    node = world.worker("w1", Script("node_error"))
    node.comfyui.failing_error, node.comfyui.failing_message = error, message
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert (caught.value.reason, node.comfyui.freed) == (reason, 1)


def test_an_empty_result_is_no_result(world: World) -> None:
    node = world.worker("w1", Script("empty"))
    with pytest.raises(AttemptFailed) as caught:
        run(node)
    assert (caught.value.reason, caught.value.retryable) == ("BrokenOutput", True)


def test_everything_is_taken_away_afterwards(world: World) -> None:
    node = world.worker("w1")
    for folder, name in (("output/x", "a.png"), ("temp/temp", "b.png"), ("output", "fixed.png")):
        (world.scratch / folder).mkdir(parents=True, exist_ok=True)
        (world.scratch / folder / name).write_bytes(b"x")
    work = first_attempt(node, KEY)
    work.run(Told())
    label = f"genpool/{KEY[:16]}-1-1-01234567"
    for folder in ("input", "output"):
        (world.scratch / folder / label).mkdir(parents=True)
        (world.scratch / folder / label / "file").write_bytes(b"x")
    work.clean()
    left = [path.name for path in world.scratch.rglob("*") if path.is_file()]
    assert left == []
    assert not node.comfyui.entries
