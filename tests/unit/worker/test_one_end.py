"""Exactly one end, whatever happens between any two steps of a worker.

Each scenario is first run undisturbed to count its steps. Then it is run again and again, each time with one
disturbance at another step, and the same must hold afterwards.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from fakes.worker_ports import Result, Script, gone
from fakes.worker_steps import CrashNow, Side
from fakes.worker_world import QUEUE, Node, World, new_world
from genpool_core import names, timing
from genpool_core.identity import end_id
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import EndRecord
from genpool_core.messages import headers
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.messages.events import EVENT, TaskEnded

HOOK = "https://client.example/hook"


@dataclass(frozen=True)
class Scenario:
    name: str
    body: JsonObject
    outcome: str
    reason: str
    results: tuple[Result, ...] = ("ok",)
    max_attempts: int = 3
    message_id: str | None = None

    def __str__(self) -> str:
        return self.name

    def script(self) -> Script:
        return Script(*self.results)


TEXT: JsonObject = {"task_id": "t1", "prompt": "a sunset", "callback_url": HOOK}
PHOTO: JsonObject = {
    "task_id": "task_12345",
    "image_url": "https://example.com/a.jpg",
    "workflow_type": "DDColor人物黑白修复.json",
    "callback_url": HOOK,
}
GOOD = ("succeeded", "Succeeded")
SCENARIOS = [
    Scenario("text", TEXT, *GOOD),
    Scenario("photo", PHOTO, *GOOD),
    Scenario("message id", {"prompt": "x", "callback_url": HOOK}, *GOOD, message_id="m-1"),
    Scenario("second attempt", TEXT, *GOOD, results=("interrupted", "ok")),
    Scenario("node error", TEXT, "dead", "NodeFailed", results=("node_error",)),
    Scenario("out of memory", TEXT, "dead", "OutOfMemory", results=("oom",), max_attempts=2),
    Scenario("no such workflow", {**TEXT, "workflow_type": "nope"}, "dead", "InvalidTask"),
    Scenario("bad task id", {**TEXT, "task_id": True}, "dead", "InvalidTask", message_id="m-2"),
]


@contextmanager
def world_for(scenario: Scenario, extra_attempts: int = 0) -> Iterator[World]:
    world = new_world(max_attempts=scenario.max_attempts + extra_attempts)
    try:
        world.send(scenario.body, message_id=scenario.message_id)
        yield world
    finally:
        shutil.rmtree(world.scratch)


def steps_of(scenario: Scenario) -> list[str]:
    with world_for(scenario) as world:
        node = world.worker("w1", scenario.script())
        world.drive(node)
        check(world, scenario)
        return node.steps.names


def numbered(scenario: Scenario) -> Iterator[int]:
    return iter(range(1, len(steps_of(scenario)) + 1))


def until_crash(world: World, node: Node) -> None:
    try:
        world.drive(node)
    except CrashNow:
        world.broker.lose_connection(node.context.worker)


def check(world: World, scenario: Scenario, *, outcomes: set[str] | None = None) -> EndRecord:
    """What must hold once nothing is in the queue any more."""
    assert world.broker.empty
    ends = world.store.records("/end.json")
    assert len(ends) == 1
    end = EndRecord.model_validate(next(iter(ends.values())))
    if outcomes is None:
        assert (end.outcome, end.reason) == (scenario.outcome, scenario.reason), end.message
    else:
        assert end.outcome in outcomes
    stored = {key for key in world.store.objects if "/attempts/" not in key and not key.endswith("end.json")}
    assert stored == {output.key for output in end.outputs}
    assert all(len(world.store.objects[output.key]) == output.bytes > 0 for output in end.outputs)
    assert bool(end.outputs) == (end.outcome == "succeeded")
    _check_announced(world, end)
    return end


def _check_announced(world: World, end: EndRecord) -> None:
    one_id = end_id(end.task_key, end.run)
    announced = [
        event
        for item in world.broker.to(names.EVENTS_EXCHANGE)
        if isinstance(event := EVENT.validate_json(item.body), TaskEnded)
    ]
    assert announced
    assert {event.id for event in announced} == {one_id}
    assert {(event.outcome, event.attempt, event.time) for event in announced} == {
        (end.outcome, end.attempt, end.ended_at)
    }
    callbacks = world.broker.to(names.CALLBACKS_EXCHANGE, names.CALLBACKS_QUEUE)
    assert {item.properties.message_id for item in callbacks} == {one_id}
    for item in callbacks:
        callback = CallbackMessage.model_validate_json(item.body)
        assert (callback.id, callback.url, callback.body.outcome) == (one_id, HOOK, end.outcome)
        assert [output.key for output in callback.body.outputs] == [output.key for output in end.outputs]
    letters = world.broker.to("", names.dead_queue(QUEUE))
    assert bool(letters) == (end.outcome == "dead")
    for letter in letters:
        assert letter.headers[headers.REASON] == end.reason
        assert letter.headers[headers.TASK_KEY] == end.task_key


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_undisturbed(scenario: Scenario) -> None:
    names_of_steps = steps_of(scenario)
    assert names_of_steps[-1] == "broker.ack" or "comfyui.forget" in names_of_steps[-1]


@pytest.mark.parametrize("restarted_as", ["w1", "w2"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_crash_between_any_two_steps(scenario: Scenario, restarted_as: str) -> None:
    for step in numbered(scenario):
        # A crash costs an attempt, and must not be what ends the task.
        with world_for(scenario, extra_attempts=1) as world:
            script = scenario.script()
            first = world.worker("w1", script)
            first.steps.crash_at = step
            until_crash(world, first)
            world.drive(world.worker(restarted_as, script))
            check(world, scenario)


@pytest.mark.parametrize("scenario", SCENARIOS[:2] + SCENARIOS[4:5], ids=str)
def test_two_crashes(scenario: Scenario) -> None:
    count = len(steps_of(scenario))
    for first_step in range(1, count + 1, 2):
        for second_step in range(1, count + 1, 2):
            with world_for(scenario) as world:
                for name, step in (("w1", first_step), ("w2", second_step)):
                    node = world.worker(name, scenario.script())
                    node.steps.crash_at = step
                    until_crash(world, node)
                world.drive(world.worker("w3", scenario.script()))
                check(world, scenario)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_one_call_fails(scenario: Scenario, side: Side) -> None:
    """Each call once, without effect or with its answer lost."""
    for step in numbered(scenario):
        with world_for(scenario, extra_attempts=1) as world:
            node = world.worker("w1", scenario.script())
            node.steps.fail_at, node.steps.fail_side = step, side
            world.drive(node)
            check(world, scenario)


@pytest.mark.parametrize("scenario", SCENARIOS[:2], ids=str)
def test_comfyui_vanishes_at_any_call(scenario: Scenario) -> None:
    for step, name in enumerate(steps_of(scenario), start=1):
        if not name.startswith("comfyui."):
            continue
        with world_for(scenario) as world:
            node = world.worker("w1", scenario.script())
            node.steps.fail_at, node.steps.fail_with = step, gone()
            world.drive(node)
            check(world, scenario)


@pytest.mark.parametrize("lease", ["valid", "over"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_connection_cut_while_the_worker_goes_on(scenario: Scenario, lease: str) -> None:
    """The broker gives the task to a second worker in the middle of the first one's work, at any step of it."""
    for step in numbered(scenario):
        with world_for(scenario, extra_attempts=1) as world:
            script = scenario.script()
            first, second = world.worker("w1", script), world.worker("w2", script)

            def cut(world: World = world, second: Node = second) -> None:
                world.broker.lose_connection("w1")
                if lease == "over":
                    world.clock.time += timing.LEASE_SECONDS + 1
                world.drive_ready(second)

            first.steps.between[step] = cut
            world.drive(first)
            end = check(world, scenario)
            if lease == "valid" and scenario.outcome == "succeeded":
                assert script.posted == len(scenario.results), step
            assert end.attempt <= scenario.max_attempts + 1


def test_a_task_on_its_last_attempt_is_not_buried_by_a_cut_connection() -> None:
    scenario = Scenario("last attempt", TEXT, *GOOD, max_attempts=1)
    for step in numbered(scenario):
        with world_for(scenario) as world:
            first, second = world.worker("w1"), world.worker("w2")

            def cut(world: World = world, second: Node = second) -> None:
                world.broker.lose_connection("w1")
                world.drive_ready(second)

            first.steps.between[step] = cut
            world.drive(first)
            check(world, scenario)


@pytest.mark.parametrize("scenario", SCENARIOS[:1] + SCENARIOS[3:5], ids=str)
def test_a_duplicate_arrives_at_any_step(scenario: Scenario) -> None:
    """The producer sends the same message again while the first is anywhere on its way."""
    for step in numbered(scenario):
        with world_for(scenario) as world:
            script = scenario.script()
            first, second = world.worker("w1", script), world.worker("w2", script)

            def again(world: World = world, second: Node = second) -> None:
                world.send(scenario.body)
                world.drive_ready(second)

            first.steps.between[step] = again
            world.drive(first)
            world.drive(second)
            check(world, scenario)
            assert len(world.broker.to("", names.dead_queue(QUEUE))) == (scenario.outcome == "dead")
            assert script.posted == len(scenario.results)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_drained_at_any_step(scenario: Scenario) -> None:
    """The grace is over at once: what can be ended is ended, the rest is given back and does not count."""
    for step in numbered(scenario):
        with world_for(scenario) as world:
            script = scenario.script()
            first = world.worker("w1", script)

            def over(world: World = world, first: Node = first) -> None:
                first.context.drain.begin()
                world.clock.time += world.config.grace_seconds

            first.steps.between[step] = over
            world.one(first)
            world.broker.lose_connection("w1")
            world.drive(world.worker("w2", script))
            check(world, scenario)


def test_a_task_that_kills_its_worker_each_time_is_dead_after_max_attempts() -> None:
    scenario = Scenario("killer", TEXT, "dead", "WorkerLost")
    with world_for(scenario) as world:
        for number in range(1, 10):
            node = world.worker(f"w{number}")
            node.steps.crash_on = "comfyui.submit"
            until_crash(world, node)
        world.drive(world.worker("last"))
        end = check(world, scenario)
        assert end.attempt == scenario.max_attempts
        assert len(world.store.records("attempts/3.json")) == 1
        assert not world.store.records("attempts/4.json")
