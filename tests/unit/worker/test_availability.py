"""A pool's fault is not a task's: what ComfyUI lacks for a workflow costs no task, and stops no other workflow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from fakes.worker_comfyui import gone
from fakes.worker_loop import Loop
from fakes.worker_model import LOADER, MODEL, claims_of, ends, files, house, looked, refusal
from fakes.worker_steps import CrashNow
from fakes.worker_world import PHOTO, TEXT, World
from genpool_core import timing
from genpool_core.jsontypes import JsonObject
from genpool_core.messages import headers
from genpool_core.tasks.decode import decode
from genpool_core.workflow.spec import parse_workflow_yaml


@pytest.mark.parametrize("said", [None, files("other.safetensors")])
def test_tasks_wait_for_what_comfyui_lacks_and_others_are_done(two: World, said: JsonObject | None) -> None:
    node = two.worker("w1")
    node.comfyui.classes[LOADER] = said
    for number in range(3):
        house(two, number)
        two.send({"task_id": f"t{number}", "prompt": "x"})
    Loop(two, node, turns=8).run()
    assert ends(two) == [("succeeded", "Succeeded")] * 3
    assert len(two.broker.delayed) == 3
    assert len(claims_of(two)) == 3, "no attempt at the others"
    assert node.comfyui.posted
    (found,) = node.context.availability.unavailable or ()
    assert found.workflow == "house"
    assert LOADER in found.message
    assert "node 4" in found.message
    assert ("house.safetensors" in found.message) == (said is not None)


def test_what_is_there_again_is_found_and_the_tasks_are_done(two: World) -> None:
    node = two.worker("w1")
    node.comfyui.classes[LOADER] = None
    house(two)
    loop = Loop(two, node, turns=200)
    loop.at_turn[150] = lambda: node.comfyui.classes.update({LOADER: files("house.safetensors")})
    loop.at_turn[100] = lambda: two.broker.release_due(two.clock.time)
    loop.run()
    assert ends(two) == [("succeeded", "Succeeded")]
    assert node.context.availability.unavailable == ()


def test_a_task_that_names_a_model_that_is_there_does_not_wait(two: World) -> None:
    node = two.worker("w1")
    node.comfyui.classes[LOADER] = files("other.safetensors")
    looked(node)
    house(two, parameters={"model": "other.safetensors"})
    two.drive_ready(node)
    assert ends(two) == [("succeeded", "Succeeded")]


@pytest.mark.parametrize("own", ["none.safetensors", "other.safetensors"])
def test_what_a_task_asked_for_beyond_the_defaults_is_its_own_fault(two: World, own: str) -> None:
    node = two.worker("w1")
    node.comfyui.refusal = refusal("4", "ckpt_name")
    looked(node)
    house(two, parameters={"model": own})
    two.drive_ready(node)
    assert ends(two) == [("dead", "InvalidPrompt")]
    assert node.context.availability.unavailable == ()


@pytest.mark.parametrize(
    "body",
    [
        refusal("4", "ckpt_name"),
        refusal("4", "new_input", "required_input_missing"),
        refusal("4", "ckpt_name", "custom_validation_failed"),
        {"error": {"type": "prompt_no_outputs", "message": "Prompt has no outputs"}, "node_errors": {}},
    ],
)
def test_a_refusal_of_what_the_workflow_has_by_itself_costs_no_attempt(two: World, body: JsonObject) -> None:
    """A pack's loader checks in its own way: only a prompt tells."""
    node = two.worker("w1")
    node.comfyui.classes[LOADER] = files(module="custom_nodes.pack")
    looked(node)
    node.comfyui.refusal = body
    house(two, 1)
    house(two, 2)
    two.drive_ready(node)
    assert ends(two) == []
    assert len(two.broker.delayed) == 2
    claims = claims_of(two)
    assert [claim["attempt"] for claim in claims] == [1], "the second task was not tried"
    assert claims[0]["released_at"] is not None
    (found,) = node.context.availability.unavailable or ()
    assert (found.workflow, found.reason) == ("house", "PromptRefused")
    node.comfyui.refusal = None
    two.drive(node)
    assert ends(two) == [("succeeded", "Succeeded")] * 2
    assert node.context.availability.unavailable == ()


def test_a_prompt_that_would_lose_a_part_of_its_results_is_the_same(two: World) -> None:
    node = looked(two.worker("w1"))
    node.comfyui.node_errors = refusal("4", "ckpt_name")["node_errors"]  # type: ignore[assignment]
    house(two)
    two.drive_ready(node)
    assert ends(two) == []
    assert len(two.broker.delayed) == 1


@pytest.mark.parametrize("kind", ["custom_validation_failed", "exception_during_inner_validation"])
def test_a_check_that_names_no_place_is_about_the_whole_node(two: World, kind: str) -> None:
    """The picture of a task is checked by its node's own code, whose fault names all inputs or another node's."""
    node = looked(two.worker("w1"))
    node.comfyui.refusal = refusal("1", "other", kind)
    two.send({"task_id": "p", "workflow_type": PHOTO.entry.name, "image_url": "https://93.184.216.34/p.png"})
    two.drive_ready(node)
    assert ends(two) == [("dead", "InvalidPrompt")]


def test_a_graph_of_the_tasks_own_never_waits(make_world: Callable[..., World]) -> None:
    world = make_world(allow_graphs=True)
    node = looked(world.worker("w1"))
    node.comfyui.refusal = {"error": {"type": "missing_node_type", "message": "no"}, "node_errors": {}}
    world.send({"task_id": "g", "prompt": {"1": {"class_type": "Odd", "inputs": {}}}})
    world.drive_ready(node)
    assert ends(world) == [("dead", "InvalidPrompt")]


def test_the_wait_is_bounded_in_number_and_time(two: World) -> None:
    node = two.worker("w1")
    node.comfyui.classes[LOADER] = None
    house(two)
    began = two.clock.time
    looked(node)
    count = 0
    while not ends(two):
        two.broker.release_due(two.clock.time)
        delivery = two.broker.deliver("w1")
        if delivery is None:
            two.clock.time = max(two.clock.time, min(at for at, _ in two.broker.delayed))
            continue
        decoded = decode(delivery, two.config.pool.uid)
        if node.processor.put_off(decoded):
            count += 1
        else:
            node.processor.process(decoded)
    assert count == len(timing.PUT_OFF_STEPS)
    assert two.clock.time - began == pytest.approx(sum(timing.PUT_OFF_STEPS), abs=60)
    assert ends(two) == [("dead", "WorkflowUnavailable")]
    (dead,) = two.broker.to("", two.config.dead_queue)
    assert "waited for 24 hours" in str(dead.headers[headers.MESSAGE])
    assert LOADER in str(dead.headers[headers.MESSAGE])


def test_when_no_workflow_can_run_nothing_is_taken(world: World) -> None:
    world.workflows = (MODEL,)
    node = world.worker("w1")
    node.comfyui.classes[LOADER] = files()
    house(world)
    loop = Loop(world, node, turns=4)
    loop.run()
    assert not loop.consumption.open
    assert len(world.broker.ready) == 1, "the task was not touched"
    waits = loop.status.snapshot.waits
    assert waits is None or waits.reason == "NoWorkflowAvailable"
    trouble = loop.preconditions.trouble()
    assert trouble is not None
    assert "house.safetensors" in trouble.message


def test_the_last_workflow_that_is_refused_closes_at_once(world: World) -> None:
    """Never idle in between: that would say that tasks are done."""
    world.workflows = (MODEL,)
    node = world.worker("w1")
    node.comfyui.classes[LOADER] = files(module="custom_nodes.pack")
    node.comfyui.refusal = refusal("4", "new_input", "required_input_missing")
    house(world)
    loop = Loop(world, node, turns=6)
    loop.run()
    after = loop.states[loop.states.index("idle") + 1 :]
    assert "idle" not in [state for state in after if state != "busy"][1:]
    assert not loop.consumption.open


def test_a_restart_asks_anew_and_until_then_what_is_known_holds(two: World) -> None:
    node = two.worker("w1")
    node.comfyui.classes[LOADER] = None
    availability = looked(node).context.availability
    asked = node.steps.names.count("comfyui.node_class")
    availability.look()
    assert node.steps.names.count("comfyui.node_class") == asked, "not yet due"
    availability.forget()
    assert [item.workflow for item in availability.unavailable or ()] == ["house"]
    node.comfyui.classes[LOADER] = files("house.safetensors")
    availability.look()
    assert availability.unavailable == ()
    availability.look()
    assert node.steps.names.count("comfyui.node_class") == 2 * asked, "nothing lacks: it is not asked again"


def test_a_redelivered_message_is_looked_up_first(two: World) -> None:
    """Its end may be written and not published: that is done, whatever ComfyUI lacks."""
    node = two.worker("w1")
    looked(node)
    house(two)
    delivery = two.broker.deliver("w1")
    assert delivery is not None
    redelivered = decode(dataclasses.replace(delivery, redelivered=True), two.config.pool.uid)
    node.comfyui.classes[LOADER] = None
    node.context.availability.forget()
    looked(node)
    assert not node.processor.put_off(redelivered)
    node.processor.process(redelivered)
    assert len(two.broker.delayed) == 1
    assert ends(two) == []


def test_a_comfyui_that_is_gone_while_it_is_asked_whose_fault_it_is(two: World) -> None:
    node = looked(two.worker("w1"))
    node.comfyui.refusal = refusal("4", "ckpt_name")
    house(two)
    node.steps.fail_on, node.steps.fail_with = "comfyui.node_class", gone()
    two.drive_ready(node)
    assert ends(two) == []
    assert len(two.broker.delayed) == 1


@pytest.mark.parametrize(
    ("said", "refused", "stops"),
    [
        (files(), None, True),
        (files("other.safetensors"), None, False),
        (None, None, True),
        (files(module="custom_nodes.pack"), refusal("4", "ckpt_name"), False),
        (files(module="custom_nodes.pack"), refusal("4", "new_input"), True),
    ],
)
def test_only_what_no_task_can_do_without_stops_consumption(
    world: World, said: JsonObject | None, refused: JsonObject | None, *, stops: bool
) -> None:
    """Where there are other models, tasks may name them: those are done, as long as the default is missing."""
    world.workflows = (MODEL,)
    node = world.worker("w1")
    node.comfyui.classes[LOADER] = said
    looked(node)
    node.comfyui.refusal = refused
    house(world)
    world.drive_ready(node)
    assert node.context.availability.unavailable
    assert (node.context.availability.none() is not None) == stops


@pytest.mark.parametrize("restarted_as", ["w1", "w2"])
def test_a_crash_at_any_step_on_the_way_loses_and_doubles_nothing(
    make_world: Callable[..., World], restarted_as: str
) -> None:
    step, crashed = 0, True
    while crashed:
        step += 1
        world = make_world()
        world.workflows = (TEXT, PHOTO, MODEL)
        first = looked(world.worker("w1"))
        first.comfyui.refusal = refusal("4", "ckpt_name")
        first.steps.crash_at = len(first.steps.names) + step
        house(world)
        crashed = False
        try:
            world.drive_ready(first)
        except CrashNow:
            crashed = True
            world.broker.lose_connection("w1")
        world.clock.sleep(timing.LEASE_SECONDS)
        world.drive(looked(world.worker(restarted_as)))
        assert ends(world) == [("succeeded", "Succeeded")], f"crash at step {step}"
        assert world.broker.empty
    assert step > 10


def test_a_class_that_went_after_it_was_asked_for_is_named(two: World) -> None:
    node = looked(two.worker("w1"))
    node.comfyui.classes[LOADER] = None
    node.comfyui.refusal = {
        "error": {"type": "missing_node_type", "message": f"Node '{LOADER}' not found."},
        "node_errors": {},
    }
    house(two)
    two.drive_ready(node)
    assert ends(two) == []
    (found,) = node.context.availability.unavailable or ()
    assert (found.workflow, found.reason) == ("house", "NodeMissing")


def test_a_long_list_of_workflows_is_cut(world: World) -> None:
    named = [
        dataclasses.replace(MODEL, entry=MODEL.entry.model_copy(update={"name": f"house-{number}"}))
        for number in range(5)
    ]
    for count, more in ((3, False), (5, True)):
        world.workflows = tuple(named[:count])
        node = world.worker("w1")
        node.comfyui.classes[LOADER] = None
        waits = looked(node).context.availability.none()
        assert waits is not None
        assert ("And 2 more." in waits.message) == more
        assert ("more" in waits.message) == more


@pytest.mark.parametrize(("required", "default", "missing"), [(True, None, False), (False, None, True)])
def test_a_placeholder_that_every_task_replaces_is_not_missing(
    world: World, *, required: bool, default: str | None, missing: bool
) -> None:
    described = MODEL.parameters.model_dump(by_alias=True, exclude_none=True)
    described["parameters"]["model"]["required"] = required
    described["parameters"]["model"]["schema"] = {"type": "string", "default": default}
    changed = parse_workflow_yaml(described, where="house")
    world.workflows = (TEXT, dataclasses.replace(MODEL, parameters=changed))
    node = world.worker("w1")
    node.comfyui.classes[LOADER] = files("other.safetensors")
    looked(node)
    assert bool(node.context.availability.unavailable) == missing
    house(world, parameters={"model": "other.safetensors"})
    world.drive_ready(node)
    assert ends(world) == [("succeeded", "Succeeded")]
