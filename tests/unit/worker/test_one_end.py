"""Exactly one end, whatever happens between any two steps of a worker.

Each scenario is first run undisturbed to count its steps. Then it is run again and again, each time with one
disturbance at another step, and the same must hold afterwards.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from fakes.worker_comfyui import Result, Script, gone
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
    attempts: int = 1
    """Attempts that count when nothing disturbs it; each submits one prompt."""
    results: tuple[Result, ...] = ("ok",)
    max_attempts: int = 3
    message_id: str | None = None

    def __str__(self) -> str:
        return self.name

    def script(self) -> Script:
        return Script(*self.results)

    def spare(self) -> Scenario:
        """The same with one attempt more, for a disturbance that costs one and must not be what ends the task."""
        return replace(self, max_attempts=self.max_attempts + 1)


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
    Scenario("second attempt", TEXT, *GOOD, attempts=2, results=("interrupted", "ok")),
    Scenario("node error", TEXT, "dead", "NodeFailed", results=("node_error",)),
    Scenario("out of memory", TEXT, "dead", "OutOfMemory", attempts=2, results=("oom",), max_attempts=2),
    Scenario("no such workflow", {**TEXT, "workflow_type": "nope"}, "dead", "InvalidTask", attempts=0),
    Scenario("bad task id", {**TEXT, "task_id": True}, "dead", "InvalidTask", attempts=0, message_id="m-2"),
]
#: How a delivery is settled: each step is confirmed before the next.
DEAD_LETTER, ENDED, CALLBACK = "broker.publish ", "broker.publish task.ended", "broker.publish callback"


@contextmanager
def world_for(scenario: Scenario) -> Iterator[World]:
    world = new_world(max_attempts=scenario.max_attempts)
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


def until_crash(world: World, node: Node) -> bool:
    """Whether it crashed."""
    try:
        world.drive(node)
    except CrashNow:
        world.broker.lose_connection(node.context.worker)
        return True
    return False


def counted(world: World) -> list[object]:
    """How many attempts counted, as each dead letter says."""
    return [letter.headers[headers.ATTEMPTS] for letter in world.broker.to("", names.dead_queue(QUEUE))]


def released(world: World) -> list[str]:
    """Keys of the claims that were given back."""
    return [key for key, item in world.store.records(".json").items() if item.get("released_at") is not None]


def check(world: World, scenario: Scenario) -> EndRecord:
    """What must hold once nothing is in the queue any more."""
    assert world.broker.empty
    ends = world.store.records("/end.json")
    assert len(ends) == 1
    end = EndRecord.model_validate(next(iter(ends.values())))
    assert (end.outcome, end.reason) == (scenario.outcome, scenario.reason), end.message
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
    with world_for(scenario) as world:
        script = scenario.script()
        node = world.worker("w1", script)
        world.drive(node)
        end = check(world, scenario)
        assert (end.attempt, script.posted) == (scenario.attempts, scenario.attempts)
        assert counted(world) == ([scenario.attempts] if scenario.outcome == "dead" else [])
        steps = [name for name in node.steps.names if name != "store.keys"]
        ended = len(steps) - steps[::-1].index("store.create")
        dead_letter = [DEAD_LETTER] if scenario.outcome == "dead" else []
        forget = ["comfyui.forget"] if scenario.attempts else []
        assert steps[ended:] == [*dead_letter, ENDED, CALLBACK, "broker.ack", *forget]


@pytest.mark.parametrize("restarted_as", ["w1", "w2"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_crash_between_any_two_steps(scenario: Scenario, restarted_as: str) -> None:
    for step in numbered(scenario):
        with world_for(scenario.spare()) as world:
            script = scenario.script()
            first = world.worker("w1", script)
            first.steps.crash_at = step
            assert until_crash(world, first)
            world.drive(world.worker(restarted_as, script))
            check(world, scenario)


@pytest.mark.parametrize("scenario", SCENARIOS[:2] + SCENARIOS[4:5], ids=str)
def test_two_crashes(scenario: Scenario) -> None:
    count = len(steps_of(scenario))
    # The second one reads the first one's claim as well, and sweeps what that one left.
    more = len(["store.get", "store.keys", "store.delete"])
    both = 0
    for first_step in range(1, count + 1, 2):
        for second_step in range(1, count + more + 1):
            with world_for(scenario) as world:
                crashes = 0
                # Under its own name: it need not wait for the first one's lease.
                for step in (first_step, second_step):
                    node = world.worker("w1", scenario.script())
                    node.steps.crash_at = step
                    crashes += until_crash(world, node)
                world.drive(world.worker("w2", scenario.script()))
                check(world, scenario)
                # A second worker that only publishes the end again may be done before its step.
                assert crashes >= 1
                both += crashes == 2
    assert both > count


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_one_call_fails(scenario: Scenario, side: Side) -> None:
    """Each call once, without effect or with its answer lost."""
    scenario = scenario.spare()
    for step, name in enumerate(steps_of(scenario), start=1):
        if name == "broker.ack":
            # Never raises; a connection that is cut there is another test.
            continue
        with world_for(scenario) as world:
            node = world.worker("w1", scenario.script())
            node.steps.fail_at, node.steps.fail_side = step, side
            world.drive(node)
            check(world, scenario)
            assert node.steps.failed == [name]


@pytest.mark.parametrize("scenario", SCENARIOS[:2], ids=str)
def test_comfyui_vanishes_at_any_call(scenario: Scenario) -> None:
    calls = [(step, name) for step, name in enumerate(steps_of(scenario), start=1) if "comfyui." in name]
    assert len(calls) >= len(["listen", "submit", "receive", "history", "download", "forget"])
    for step, name in calls:
        with world_for(scenario) as world:
            node = world.worker("w1", scenario.script())
            node.steps.fail_at, node.steps.fail_with = step, gone()
            world.drive(node)
            check(world, scenario)
            assert node.steps.failed == [name]


@pytest.mark.parametrize("lease", ["valid", "over"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_connection_cut_while_the_worker_goes_on(scenario: Scenario, lease: str) -> None:
    """The broker gives the task to a second worker in the middle of the first one's work, at any step of it."""
    for step in numbered(scenario):
        with world_for(scenario.spare() if lease == "over" else scenario) as world:
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
            assert not first.steps.between
            if lease == "valid":
                assert (end.attempt, script.posted) == (scenario.attempts, scenario.attempts), step
            else:
                assert script.posted <= scenario.attempts + 1, step


def test_a_task_on_its_last_attempt_is_not_buried_by_a_cut_connection() -> None:
    scenario = Scenario("last attempt", TEXT, *GOOD, max_attempts=1)
    for step in numbered(scenario):
        with world_for(scenario) as world:
            script = scenario.script()
            first, second = world.worker("w1", script), world.worker("w2", script)

            def cut(world: World = world, second: Node = second) -> None:
                world.broker.lose_connection("w1")
                world.drive_ready(second)

            first.steps.between[step] = cut
            world.drive(first)
            assert (check(world, scenario).attempt, script.posted) == (1, 1)
            assert not first.steps.between


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
            end = check(world, scenario)
            assert counted(world) == ([scenario.attempts] if scenario.outcome == "dead" else [])
            assert (end.attempt, script.posted) == (scenario.attempts, scenario.attempts)


@contextmanager
def drain_at(scenario: Scenario, step: int, *, down: str | None = None) -> Iterator[World]:
    """A worker whose grace is over at ``step``, from which on calls ``down`` fail; then another one takes its place."""
    with world_for(scenario) as world:
        script = scenario.script()
        first = world.worker("w1", script)

        def over() -> None:
            first.context.drain.begin()
            world.clock.time += world.config.grace_seconds
            first.steps.down = down

        first.steps.between[step] = over
        world.drive(first)
        assert first.context.drain.overdue
        world.broker.lose_connection("w1")
        world.drive(world.worker("w2", script))
        yield world


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_drained_at_any_step(scenario: Scenario) -> None:
    """The grace is over at once, and nothing is in the way: what was begun is ended."""
    for step in numbered(scenario):
        with drain_at(scenario, step) as world:
            assert check(world, scenario).attempt == scenario.attempts
            assert not released(world)
            assert counted(world) == ([scenario.attempts] if scenario.outcome == "dead" else [])


@pytest.mark.parametrize("down", ["comfyui.", "broker."])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_drained_at_any_step_while_something_is_away(scenario: Scenario, down: str) -> None:
    """What cannot be ended is given back, and does not count: no attempt more is allowed than the task needs."""
    tight = replace(scenario, max_attempts=max(1, scenario.attempts))
    given_back = 0
    for step in numbered(tight):
        with drain_at(tight, step, down=down) as world:
            check(world, tight)
            assert set(counted(world)) == ({scenario.attempts} if scenario.outcome == "dead" else set())
            assert len(released(world)) <= 1
            given_back += len(released(world))
    assert (given_back > 0) == (scenario.attempts > 0)


@pytest.mark.parametrize(
    "scenario", [item for item in SCENARIOS if item.attempts < item.max_attempts], ids=str
)
def test_drained_at_any_step_while_the_store_is_away(scenario: Scenario) -> None:
    """That it was given back cannot be recorded, so that the attempt counts; the task is not lost."""
    for step in numbered(scenario):
        with drain_at(scenario, step, down="store.") as world:
            check(world, scenario)
            assert not released(world)


def test_a_task_that_kills_its_worker_each_time_is_dead_after_max_attempts() -> None:
    scenario = Scenario("killer", TEXT, "dead", "WorkerLost")
    with world_for(scenario) as world:
        crashes = 0
        for number in range(1, 10):
            node = world.worker(f"w{number}")
            node.steps.crash_on = "comfyui.submit"
            crashes += until_crash(world, node)
        world.drive(world.worker("last"))
        end = check(world, scenario)
        assert end.attempt == crashes == scenario.max_attempts
        assert counted(world) == [scenario.max_attempts]
        assert len(world.store.records("attempts/3.json")) == 1
        assert not world.store.records("attempts/4.json")
