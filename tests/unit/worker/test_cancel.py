"""A cancel against a task's end: it wins at every step before the end record is written, and at none after."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from fakes.worker_comfyui import Result, Script
from fakes.worker_steps import FakeClock
from fakes.worker_world import Node, World
from genpool_core import names, timing
from genpool_core.errors import StorageError
from genpool_core.identity import TaskRef, end_id, task_key
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger import keys
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.commands import CancelTask
from genpool_core.messages.events import EVENT, TaskEnded
from genpool_worker.cancel import Cancellation, Held, Step, Verdict, judge, next_step
from genpool_worker.errors import Cancelled

HOOK = "https://c.example/"
TASK: JsonObject = {"task_id": "t", "prompt": "x", "callback_url": HOOK}
PHOTO: JsonObject = {
    "task_id": "t",
    "workflow_type": "DDColor人物黑白修复.json",
    "image_url": "https://i.example/a.png",
    "callback_url": HOOK,
}


def command(task: JsonObject = TASK, run: int = 1) -> CancelTask:
    return CancelTask(task_key=task_key("pool-uid", "t", task), run=run, message="Somebody asked for it.")


# The decisions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        (None, Verdict.NOT_IN_HAND),
        (Held("other", 1), Verdict.NOT_IN_HAND),
        (Held("key", 2), Verdict.NOT_IN_HAND),
        (Held("key", 2, decided=True), Verdict.NOT_IN_HAND),
        (Held("key", 1), Verdict.TAKEN),
        (Held("key", 1, message="before"), Verdict.TAKEN),
        (Held("key", 1, decided=True), Verdict.TOO_LATE),
    ],
)
def test_what_a_cancel_means(held: Held | None, verdict: Verdict) -> None:
    assert judge(held, CancelTask(task_key="key", run=1)) is verdict


@pytest.mark.parametrize(
    ("cancelled", "overdue", "late", "step"),
    [
        (False, False, False, Step.GO_ON),
        (False, False, True, Step.TIME_OVER),
        (False, True, False, Step.HAND_BACK),
        (False, True, True, Step.HAND_BACK),
        (True, False, False, Step.CANCEL),
        (True, False, True, Step.CANCEL),
        (True, True, False, Step.CANCEL),
        (True, True, True, Step.CANCEL),
    ],
)
def test_what_a_run_does_next(step: Step, *, cancelled: bool, overdue: bool, late: bool) -> None:
    assert next_step(cancelled=cancelled, overdue=overdue, late=late) is step


def test_a_cancel_holds_for_one_task_in_hand() -> None:
    cancellation = Cancellation()
    ref = TaskRef("t", "key", 1)
    asked = CancelTask(task_key="key", run=1, message="why")
    assert cancellation.cancel(asked) is Verdict.NOT_IN_HAND
    with cancellation.holding(ref):
        cancellation.check()
        assert cancellation.cancel(asked) is Verdict.TAKEN
        for step in (cancellation.check, cancellation.conclude):
            with pytest.raises(Cancelled, match="why"):
                step()
        assert cancellation.decide()
    with cancellation.holding(ref):
        assert not cancellation.decide()
        assert cancellation.cancel(asked) is Verdict.TOO_LATE
        cancellation.conclude()
        assert not cancellation.asked


# At every step ------------------------------------------------------------------------------------------------------


def ended(world: World) -> list[TaskEnded]:
    found = [EVENT.validate_json(item.body) for item in world.broker.to(names.EVENTS_EXCHANGE)]
    return [event for event in found if isinstance(event, TaskEnded)]


def cancel(node: Node, task: JsonObject = TASK) -> Callable[[], None]:
    return lambda: node.context.cancellation.cancel(command(task)) and None


def assert_cancelled(world: World, node: Node, task: JsonObject = TASK) -> EndRecord:
    """One end everywhere; nothing is left, in hand, or on its way."""
    (raw,) = world.store.records("end.json").values()
    end = EndRecord.model_validate(raw)
    assert (end.outcome, end.reason, end.message) == ("cancelled", "Cancelled", "Somebody asked for it.")
    assert (end.outputs, end.callback_url) == ([], HOOK)
    assert [(item.outcome, item.reason) for item in end.attempts] == [("released", "Cancelled")]
    assert {event.id for event in ended(world)} == {end_id(command(task).task_key, 1)}
    assert len(world.broker.to(names.CALLBACKS_EXCHANGE)) == 1
    assert world.broker.empty
    assert not world.broker.to("", names.dead_queue(world.broker.queue))
    assert not [key for key in world.store.objects if not key.endswith(".json")]
    assert not [*node.comfyui.running, *node.comfyui.pending]
    assert not [path for path in (world.scratch / "output").rglob("*") if path.is_file()]
    return end


def steps_of(make_world: Callable[..., World], task: JsonObject, result: Result) -> list[str]:
    """The steps of a task that nobody cancels, to its end record or its retry."""
    world = make_world()
    node = world.worker("w1", Script(result))
    world.send(task)
    world.one(node)
    return node.steps.names


@pytest.mark.parametrize("task", [TASK, PHOTO], ids=["text", "photo"])
def test_a_cancel_at_any_step(make_world: Callable[..., World], task: JsonObject) -> None:
    steps = steps_of(make_world, task, "ok")
    decided = len(steps) - steps[::-1].index("store.create")
    assert decided > 8
    for number in range(1, len(steps) + 1):
        world = make_world()
        node = world.worker("w1")
        node.steps.between[number] = cancel(node, task)
        world.send(task)
        world.drive(node)
        if number < decided:
            assert_cancelled(world, node, task)
        else:
            assert [event.outcome for event in ended(world)] == ["succeeded"], (number, steps[number - 1])


@pytest.mark.parametrize("result", ["node_error", "oom", "interrupted", "lost"])
def test_a_cancel_wins_over_a_failure(make_world: Callable[..., World], result: Result) -> None:
    steps = steps_of(make_world, TASK, result)
    posted = steps.index("comfyui.submit") + 1
    world = make_world()
    node = world.worker("w1", Script(result))
    node.steps.between[posted] = cancel(node)
    world.send(TASK)
    world.drive(node)
    assert_cancelled(world, node)


def test_a_running_prompt_is_interrupted_at_once(world: World) -> None:
    node = world.worker("w1", Script("stuck", "ok"))
    world.send(TASK)
    world.send({**TASK, "task_id": "next"})
    asked: list[float] = []

    def ask() -> None:
        asked.append(world.clock.time)
        cancel(node)()

    node.steps.between[12] = ask
    world.one(node)
    assert set(node.comfyui.stopped) == set(node.comfyui.posted)
    assert world.clock.time - asked[0] <= timing.COMFYUI_TICK_SECONDS + timing.CANCEL_TICK_SECONDS
    (end,) = world.store.records("end.json").values()
    assert end["outcome"] == "cancelled"
    world.drive(node)
    assert sorted(event.outcome for event in ended(world)) == ["cancelled", "succeeded"]


@pytest.mark.parametrize("result", ["blocked", "unbegun"])
def test_a_prompt_that_does_not_run_as_it_should(world: World, result: Result) -> None:
    """One that heeds no interrupt wedges ComfyUI, as at a time-out; one that never began is taken off the queue."""
    node = world.worker("w1", Script(result))
    node.steps.between[12] = cancel(node)
    world.send(TASK)
    world.one(node)
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["attempt"]) == ("cancelled", 1)
    wedged = result == "blocked"
    assert node.mark.prompt_id == (node.comfyui.posted[0] if wedged else None)
    assert node.context.wedge.report().times == int(wedged)
    assert not node.comfyui.pending
    assert world.broker.empty


def test_a_task_that_waits_for_an_input(world: World) -> None:
    node = world.worker("w1")
    fetch = node.context.fetcher.fetch

    def slow(url: str, max_bytes: int) -> bytes:
        cancel(node, PHOTO)()
        return fetch(url, max_bytes)

    node.fetcher.fetch = slow  # type: ignore[method-assign]
    world.send(PHOTO)
    world.drive(node)
    assert_cancelled(world, node, PHOTO)
    assert not node.comfyui.posted


@pytest.mark.parametrize("other", [command(run=2), command(PHOTO)])
def test_another_task_or_run_is_left_alone(world: World, other: CancelTask) -> None:
    node = world.worker("w1")
    node.steps.between[6] = lambda: node.context.cancellation.cancel(other) and None
    world.send(TASK)
    world.drive(node)
    assert [event.outcome for event in ended(world)] == ["succeeded"]


def test_the_end_does_not_wait_for_comfyui_to_stop(world: World) -> None:
    """A step of the sampler may take seconds, and an interrupt is noticed only between two."""
    node = world.worker("w1", Script("blocked"))
    node.steps.between[12] = cancel(node)
    world.send(TASK)
    world.one(node)
    steps = node.steps.names
    told = steps.index("broker.ack")
    assert "comfyui.where" not in steps[steps.index("comfyui.stop") : told]
    assert "comfyui.where" in steps[told:]
    (event,) = ended(world)
    assert world.clock.now() - event.time >= timedelta(seconds=timing.COMFYUI_HEED_SECONDS)


# With a drain -------------------------------------------------------------------------------------------------------


def test_a_cancelled_task_is_not_handed_back(world: World) -> None:
    node = world.worker("w1", Script("stuck"))
    world.send(TASK)

    def both() -> None:
        node.context.drain.begin()
        world.clock.sleep(world.config.grace_seconds)
        cancel(node)()

    node.steps.between[12] = both
    world.one(node)
    assert_cancelled(world, node)


def test_where_the_end_cannot_be_written_before_the_pod_goes_the_task_is_handed_back(world: World) -> None:
    node = world.worker("w1", Script("stuck"))
    world.send(TASK)

    def all_at_once() -> None:
        node.context.drain.begin()
        world.clock.sleep(world.config.grace_seconds)
        cancel(node)()
        node.steps.down = "store."
        node.steps.fail_with = StorageError("away")

    node.steps.between[12] = all_at_once
    world.one(node)
    assert not world.store.records("end.json")
    assert len(world.broker.ready) == 1


# In the queue -------------------------------------------------------------------------------------------------------


def gateways_end(clock: FakeClock) -> EndRecord:
    """What the gateway writes for a task that no worker has begun."""
    key = command().task_key
    return EndRecord(
        task_key=key,
        task_id="t",
        run=1,
        attempt=0,
        nonce="the gateway's",
        outcome="cancelled",
        reason="Cancelled",
        message="Cancelled in the queue.",
        worker="",
        callback_url=HOOK,
        ended_at=clock.now(),
    )


def test_the_message_of_a_task_that_was_cancelled_in_the_queue(world: World) -> None:
    """The gateway has ended it: the worker announces that end under the same ids, and drops the message."""
    node = world.worker("w1")
    end = gateways_end(world.clock)
    world.store.objects[keys.end_key("p/", end.task_key, 1)] = end.model_dump_json().encode()
    world.send(TASK)
    world.drive(node)
    (event,) = ended(world)
    assert (event.id, event.outcome, event.worker) == (end_id(end.task_key, 1), "cancelled", "")
    assert (event.time, event.message) == (end.ended_at, end.message)
    (callback,) = world.broker.to(names.CALLBACKS_EXCHANGE)
    assert json.loads(callback.body)["id"] == event.id
    assert world.broker.empty
    assert not node.comfyui.posted
    assert not [key for key in world.store.objects if "/attempts/" in key]


def test_where_the_gateway_did_not_know_the_callback_the_message_tells_it(world: World) -> None:
    """A plain producer's task, of which the gateway has no more than its events."""
    node = world.worker("w1")
    end = gateways_end(world.clock).model_copy(update={"callback_url": None})
    world.store.objects[keys.end_key("p/", end.task_key, 1)] = end.model_dump_json().encode()
    world.send(TASK)
    world.drive(node)
    (callback,) = world.broker.to(names.CALLBACKS_EXCHANGE)
    told = json.loads(callback.body)
    assert (told["id"], told["url"]) == (end_id(end.task_key, 1), HOOK)


def test_a_task_whose_time_is_over_ends_as_expired(world: World) -> None:
    node = world.worker("w1", Script("stuck"))
    over = command().model_copy(
        update={"outcome": "expired", "reason": "EndDeadlineExceeded", "message": "Too late."}
    )
    node.steps.between[12] = lambda: node.context.cancellation.cancel(over) and None
    world.send(TASK)
    world.drive(node)
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"], end["message"]) == ("expired", "EndDeadlineExceeded", "Too late.")
    assert [attempt["outcome"] for attempt in end["attempts"]] == ["released"]
    assert world.broker.empty


def test_an_end_that_the_gateway_wrote_meanwhile_stands(world: World) -> None:
    """A cancel that came when the task was just taken: the gateway thought it queued."""
    node = world.worker("w1", Script("stuck"))
    end = gateways_end(world.clock)

    def both() -> None:
        world.store.objects[keys.end_key("p/", end.task_key, 1)] = end.model_dump_json().encode()
        cancel(node)()

    node.steps.between[12] = both
    world.send(TASK)
    world.drive(node)
    assert {(event.id, event.worker) for event in ended(world)} == {(end_id(end.task_key, 1), "")}
    assert world.broker.empty
    assert not node.comfyui.running
