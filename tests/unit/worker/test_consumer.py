"""The main loop: when it takes, when it leaves, and how it ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fakes.worker_comfyui import Script, gone
from fakes.worker_loop import Loop
from fakes.worker_ports import Queued
from fakes.worker_world import World
from genpool_core import timing
from genpool_core.errors import BrokerError, SettingsError, StorageError
from genpool_core.tasks.decode import Decoded
from genpool_worker.consumer import Inbox
from genpool_worker.files.workdir import ROOT
from genpool_worker.status import Waits


def task(world: World, count: int = 1) -> None:
    for number in range(count):
        world.send({"task_id": f"t{number}", "prompt": "x"})


def test_tasks_one_after_the_other(world: World) -> None:
    node = world.worker("w1")
    task(world, 2)
    loop = Loop(world, node, turns=4)
    loop.run()
    assert world.broker.empty
    assert len(world.store.records("end.json")) == 2
    assert loop.states[:2] == ["starting", "idle"]
    assert not loop.consumer.busy
    assert not loop.consumption.open


def test_nothing_is_taken_before_the_store_is_proven(world: World) -> None:
    node = world.worker("w1")
    task(world)
    steps = Loop(world, node).run()
    assert steps.index("store.create") < steps.index("consumption.resume") < steps.index("comfyui.submit")


def test_nothing_is_taken_while_comfyui_is_away(world: World) -> None:
    node = world.worker("w1")
    task(world)
    node.steps.fail_on, node.steps.fail_with = "comfyui.waiting", gone()
    loop = Loop(world, node)
    steps = loop.run()
    assert "consumption.resume" not in steps
    assert len(world.broker.ready) == 1
    assert loop.status.snapshot.state == "starting"
    assert loop.status.snapshot.waits == Waits("ComfyUIUnavailable", gone().message)


def test_nothing_is_taken_without_a_broker(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node)
    loop.consumption.sentence = "RabbitMQ is away"
    assert "consumption.resume" not in loop.run()
    assert not loop.status.was_ready
    assert loop.status.snapshot.waits == Waits("BrokerUnreachable", "RabbitMQ is away")


def test_a_worker_says_what_it_waits_for_until_it_has_it(world: World) -> None:
    node = world.worker("w1")
    node.steps.fail_on, node.steps.fail_with = (
        "store.create",
        StorageError("the bucket results refused: keys."),
    )
    loop = Loop(world, node, turns=4)
    loop.run()
    assert loop.status.snapshot.state == "starting"
    assert loop.status.snapshot.waits == Waits("StorageUnavailable", "the bucket results refused: keys.")


def test_a_store_that_is_not_safe_is_told_before_the_worker_ends(world: World) -> None:
    loop = Loop(world, world.worker("w1"))

    def refuse() -> Waits | None:
        raise SettingsError("the store is not safe.", reason="StoreNotAtomic")

    loop.preconditions.trouble = refuse  # type: ignore[method-assign]
    with pytest.raises(SettingsError):
        loop.run()
    assert loop.status.snapshot.waits == Waits("StoreNotAtomic", "the store is not safe.")


def test_a_worker_whose_comfyui_is_wedged_is_not_idle_after_the_task(world: World) -> None:
    """One heartbeat that says idle would say that the pod takes the next task."""
    loop = Loop(world, world.worker("w1", Script("blocked")), turns=4)
    task(world)
    loop.run()
    assert loop.states[:2] == ["starting", "idle"]
    assert set(loop.states[2:-1]) == {"unready"}
    assert loop.status.snapshot.waits is not None


def test_comfyui_goes_between_two_tasks(world: World) -> None:
    """What was delivered meanwhile goes back, after consumption has stopped."""
    node = world.worker("w1")
    loop = Loop(world, node, turns=6)

    def away() -> None:
        task(world)
        node.steps.fail_on, node.steps.fail_with = "comfyui.waiting", gone()

    loop.at_turn[3] = away
    steps = loop.run()
    assert steps.index("consumption.pause") < steps.index("broker.requeue")
    assert len(world.broker.ready) == 1
    assert loop.status.snapshot.state == "unready"
    assert loop.status.snapshot.waits is not None
    assert loop.status.was_ready


def test_a_store_that_fails_for_a_moment_costs_no_hand_back(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node, turns=5)
    loop.preconditions.trouble()
    task(world)
    node.steps.fail_with = StorageError("away")
    node.steps.fail_at = len(node.steps.names) + 4
    steps = loop.run()
    assert "broker.requeue" not in steps
    assert steps.index("consumption.pause") < steps.index("comfyui.submit")
    assert len(world.store.records("end.json")) == 1


def test_the_store_fails_in_use(world: World) -> None:
    """Consumption stops, the task goes back after a while, and both begin anew when the store was asked again."""
    node = world.worker("w1")
    loop = Loop(world, node, turns=60)
    loop.preconditions.trouble()
    task(world)
    node.steps.fail_with, node.steps.fail_on = StorageError("away"), "store.keys"
    states: list[str] = []

    def mend() -> None:
        states.append(loop.status.snapshot.state)
        node.steps.fail_on = None

    loop.at_turn[30] = mend
    began = world.clock.time
    steps = loop.run()
    back = steps.index("broker.requeue")
    assert steps.count("broker.requeue") == 1
    assert "consumption.pause" in steps[:back]
    assert "consumption.resume" in steps[back:]
    assert states == ["unready"]
    assert world.clock.time - began > timing.STORE_HOLD_SECONDS
    assert world.broker.empty
    assert len(world.store.records("end.json")) == 1


def test_a_drain_ends_the_wait_for_the_store(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node, turns=60)
    loop.preconditions.trouble()
    task(world)
    before = len(node.steps.names)
    node.steps.fail_with, node.steps.fail_on = StorageError("away"), "store.keys"
    # The worker asks ComfyUI, begins to consume, asks ComfyUI again, and reads the ledger.
    node.steps.between[before + 4] = node.context.drain.begin
    steps = loop.run()[before:]
    assert steps.count("store.keys") == 1
    assert "broker.requeue" in steps


def test_a_delivery_that_was_not_begun_goes_back_at_a_drain(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node, turns=0)
    task(world)
    message = world.broker.deliver("w1")
    assert message is not None
    node.context.drain.begin()
    loop.inbox.put(message)
    loop.run()
    assert len(world.broker.ready) == 1
    assert "comfyui.submit" not in node.steps.names


def test_a_drain_that_begins_while_comfyui_is_asked(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node, turns=9)

    def asked() -> None:
        task(world)
        node.steps.between[len(node.steps.names) + 1] = node.context.drain.begin

    loop.at_turn[6] = asked
    steps = loop.run()
    assert "broker.requeue" in steps
    assert "comfyui.submit" not in steps
    assert len(world.broker.ready) == 1


def test_a_fault_of_the_loop_is_survived(world: World) -> None:
    node = world.worker("w1")
    task(world)
    calls: list[Decoded] = []

    def broken(decoded: Decoded) -> None:
        calls.append(decoded)
        if len(calls) == 1:
            raise KeyError("a defect")
        process(decoded)

    process = node.processor.process
    node.processor.process = broken  # type: ignore[method-assign]
    started = world.clock.time
    Loop(world, node, turns=6).run()
    assert world.broker.empty
    assert world.clock.time - started >= 10


def test_a_connection_that_is_gone_needs_no_hand_back(world: World) -> None:
    node = world.worker("w1")
    loop = Loop(world, node, turns=0)
    node.context.drain.begin()
    node.steps.fail_on, node.steps.fail_with = "broker.requeue", BrokerError("gone")
    world.broker.ready.append(Queued(b"{}"))
    message = world.broker.deliver("w1")
    assert message is not None
    loop.inbox.put(message)
    loop.run()
    assert node.steps.failed == ["broker.requeue"]


def test_a_prompt_of_an_earlier_life_is_stopped_first(world: World) -> None:
    node = world.worker("w1")
    node.comfyui.running.append("left")
    left: Path = world.scratch / "output" / ROOT / "left"
    left.mkdir(parents=True)
    loop = Loop(world, node)
    loop.run()
    assert node.comfyui.stopped == ["left"]
    assert loop.status.was_ready
    assert not left.exists()


def test_a_prompt_of_a_person_is_left_alone(world: World) -> None:
    node = world.worker("w1")
    node.comfyui.foreign.append("a person's")
    loop = Loop(world, node)
    loop.run()
    assert not node.comfyui.stopped
    assert loop.status.was_ready


def test_waking_an_inbox() -> None:
    inbox = Inbox()
    woken = threading.Thread(target=inbox.wake)
    woken.start()
    assert inbox.take(30) is None
    woken.join()
