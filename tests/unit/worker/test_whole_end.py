"""The end record whole, over a fake world: of a success, a failing node, a retry, a lost worker, a drain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fakes.worker_comfyui import Script
from fakes.worker_steps import CrashNow
from fakes.worker_world import Node, World
from genpool_core import names, timing
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.messages.events import EVENT, TaskEnded
from genpool_worker.errors import ComfyUIGone, ComfyUISilent

HOOK = "https://c.example/hook?token=s3cr3t"
TASK = {"task_id": "t", "prompt": "x", "seed": 7, "callback_url": HOOK}


def end_of(world: World) -> EndRecord:
    (end,) = world.store.records("end.json").values()
    return EndRecord.model_validate(end)


def worker(world: World, name: str, *results: str, seconds: float = 3.0) -> Node:
    node = world.worker(name, Script(*results))  # type: ignore[arg-type]
    node.comfyui.run_seconds = seconds
    node.context.about.look()
    return node


def pool(make_world: Callable[..., World], **changes: object) -> World:
    return make_world(gpus=2, comfyui_image="comfyui:1", callback_hosts=[], **changes)


def test_a_success(make_world: Callable[..., World]) -> None:
    world = pool(make_world)
    world.send(TASK)
    before = world.clock.now()
    world.drive(worker(world, "w1", "ok"))
    end = end_of(world)
    assert (end.code, end.reason, end.node, end.log_lines) == (0, "Succeeded", None, [])
    assert (end.seed, end.parameters) == (7, {"prompt": "x", "seed": 7})
    assert end.template_digest is not None
    assert (end.comfyui_version, end.comfyui_image) == ("0.33.0", "comfyui:1")
    assert end.gpu_seconds == 6.0
    assert [(item.attempt, item.worker, item.outcome) for item in end.attempts] == [(1, "w1", "succeeded")]
    times = end.times
    steps = [times.claimed, times.fetched, times.submitted, times.finished, times.stored, times.ended]
    assert all(steps)
    assert steps == sorted(step for step in steps if step)
    assert times.started is not None
    assert times.finished is not None
    assert times.finished - times.started == timedelta(seconds=3)
    assert before <= times.started
    assert times.enqueued is None
    assert times.ended == end.ended_at


def test_when_it_was_enqueued(make_world: Callable[..., World]) -> None:
    world = pool(make_world)
    world.send(TASK)
    at = world.clock.now() - timedelta(seconds=40)
    (message,) = world.broker.ready
    message.headers["timestamp_in_ms"] = int(at.timestamp() * 1000)
    world.drive(worker(world, "w1", "oom", "ok"))
    end = end_of(world)
    assert end.attempt == 2
    assert end.times.enqueued == at


@pytest.mark.parametrize("zone", [0, -7])
def test_a_failing_node(make_world: Callable[..., World], zone: int) -> None:
    world = pool(make_world)
    world.send(TASK)
    node = worker(world, "w1", "node_error")
    node.comfyui.zone = timedelta(hours=zone)
    node.comfyui.write("of the task before\n")
    world.clock.sleep(1)
    world.drive(node)
    end = end_of(world)
    assert (end.reason, end.code, end.gpu_seconds) == ("NodeFailed", 2001, 6.0)
    assert end.node is not None
    found = (end.node.node_id, end.node.class_type, end.node.exception_type)
    assert found == ("3", "KSampler", "ValueError")
    assert end.log_lines == ["got prompt", "!!! Exception during processing !!! bad"]


def test_memory_that_ran_out_did_so_at_a_node(make_world: Callable[..., World]) -> None:
    world = pool(make_world, max_attempts=1)
    world.send(TASK)
    world.drive(worker(world, "w1", "oom"))
    end = end_of(world)
    assert (end.reason, end.node and end.node.node_id) == ("OutOfMemory", "3")


@pytest.mark.parametrize("trouble", [ComfyUISilent("slow"), ComfyUIGone("gone")])
def test_a_log_that_cannot_be_read_fails_no_end(
    make_world: Callable[..., World], trouble: ComfyUISilent
) -> None:
    world = pool(make_world)
    world.send(TASK)
    node = worker(world, "w1", "node_error")
    node.steps.fail_on, node.steps.fail_with = "comfyui.log", trouble
    world.drive(node)
    assert node.steps.failed == ["comfyui.log"]
    end = end_of(world)
    assert (end.reason, end.log_lines) == ("NodeFailed", [])


def test_a_refused_prompt_names_its_node(make_world: Callable[..., World]) -> None:
    world = pool(make_world)
    world.send(TASK)
    node = worker(world, "w1", "ok")
    faults = {"errors": [{"type": "value_not_in_list", "message": "no"}], "class_type": "CLIPTextEncode"}
    node.comfyui.node_errors = {"6": faults}  # type: ignore[dict-item]
    world.drive(node)
    end = end_of(world)
    assert (end.reason, end.node and end.node.class_type) == ("InvalidPrompt", "CLIPTextEncode")


def test_a_retry_lists_both_attempts(make_world: Callable[..., World]) -> None:
    world = pool(make_world)
    world.send(TASK)
    world.drive(worker(world, "w1", "oom", "ok"))
    end = end_of(world)
    assert [(item.outcome, item.reason, item.gpu_seconds) for item in end.attempts] == [
        ("failed", "OutOfMemory", 6.0),
        ("succeeded", None, 6.0),
    ]
    assert end.attempts[0].ended_at is not None
    assert end.gpu_seconds == 12.0


def test_a_lost_worker(make_world: Callable[..., World]) -> None:
    world = pool(make_world, max_attempts=1)
    world.send(TASK)
    lost = worker(world, "w0", "stuck")
    lost.steps.crash_on = "comfyui.where"
    with pytest.raises(CrashNow):
        world.one(lost)
    world.broker.lose_connection("w0")
    world.clock.sleep(timing.LEASE_SECONDS + 1)
    world.drive(worker(world, "w1"))
    end = end_of(world)
    assert (end.reason, end.code, end.worker) == ("WorkerLost", 4001, "w1")
    assert [(item.worker, item.outcome, item.ended_at) for item in end.attempts] == [("w0", "lost", None)]
    assert end.comfyui_version is None


def test_a_refused_task_made_no_attempt(make_world: Callable[..., World]) -> None:
    world = pool(make_world)
    world.send({"task_id": "t", "workflow_type": "none"})
    world.drive(worker(world, "w1"))
    end = end_of(world)
    assert (end.reason, end.code, end.attempts, end.gpu_seconds) == ("InvalidTask", 1002, [], 0.0)


def test_the_end_is_told_whole(make_world: Callable[..., World]) -> None:
    """In the event without the query of the callback's URL; the callback's message has that URL anyway."""
    world = pool(make_world)
    world.send(TASK)
    world.drive(worker(world, "w1", "oom", "ok"))
    end = end_of(world)
    told = [EVENT.validate_json(message.body) for message in world.broker.to(names.EVENTS_EXCHANGE)]
    (event,) = [item for item in told if isinstance(item, TaskEnded)]
    assert event.record == end.model_copy(update={"callback_url": "https://c.example/hook"})
    (message,) = world.broker.to(names.CALLBACKS_EXCHANGE, names.CALLBACKS_QUEUE)
    callback = CallbackMessage.model_validate_json(message.body)
    assert callback.end == end
    assert callback.body.task_id == "t"
