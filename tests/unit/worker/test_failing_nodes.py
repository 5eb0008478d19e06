"""A node that fails where the task had no part fails for every task, and is not used again as it was left."""

from __future__ import annotations

import dataclasses

import pytest

from fakes.worker_comfyui import Script
from fakes.worker_model import LOADER, MODEL, ends, house, looked
from fakes.worker_world import TEXT, World
from genpool_core import timing


def test_a_loader_that_fails_fails_for_every_task(two: World) -> None:
    """A model file that broke off in the middle is in ComfyUI's list like any other."""
    node = looked(two.worker("w1", Script("node_error", "node_error", "ok")))
    node.comfyui.failing_node = "4"
    for number in range(4):
        house(two, number)
    two.send({"task_id": "t", "prompt": "x"})
    two.drive_ready(node)
    assert len(node.comfyui.posted) == 2, "one task of the workflow, and the other workflow's"
    assert ends(two) == [("dead", "NodeFailed")], (
        "that other task's node is not in its graph: it may be its fault"
    )
    (found,) = node.context.availability.unavailable or ()
    assert (found.workflow, found.reason) == ("house", "NodeFailed")
    assert "node 4 (KSampler) failed: ValueError: bad" in found.message
    two.drive(node)
    assert ends(two) == [("dead", "NodeFailed")] + [("succeeded", "Succeeded")] * 4
    assert node.context.availability.unavailable == ()


def test_a_broken_model_is_tried_again_only_now_and_then(two: World) -> None:
    node = looked(two.worker("w1", Script("node_error")))
    node.comfyui.failing_node = "4"
    for number in range(50):
        house(two, number)
    until = two.clock.time + 3600
    while two.clock.time < until:
        two.broker.release_due(two.clock.time)
        two.drive_ready(node)
        two.clock.sleep(5)
    assert not ends(two)
    assert len(node.comfyui.posted) <= 3600 / timing.WORKFLOW_TRIAL_SECONDS + 1
    assert node.context.availability.none() is None, "a task may name another model"


@pytest.mark.parametrize("failing", ["6", "9", "17", "6.0.2", "17.0.1"])
def test_a_node_behind_something_of_the_tasks_may_fail_by_its_fault(world: World, failing: str) -> None:
    node = looked(world.worker("w1", Script("node_error")))
    node.comfyui.failing_node = failing
    world.send({"task_id": "t", "prompt": "x", "seed": 7})
    world.drive_ready(node)
    assert ends(world) == [("dead", "NodeFailed")]


def test_a_task_with_another_model_says_nothing_about_the_default(two: World) -> None:
    node = looked(two.worker("w1", Script("node_error", "ok")))
    node.comfyui.failing_node = "4"
    house(two, 1)
    house(two, 2, parameters={"model": "other.safetensors"})
    two.drive_ready(node)
    assert ends(two) == [("succeeded", "Succeeded")]
    assert [item.workflow for item in node.context.availability.unavailable or ()] == ["house"]


def test_a_loader_of_a_tasks_own_model_fails_by_its_fault(two: World) -> None:
    node = looked(two.worker("w1", Script("node_error")))
    node.comfyui.failing_node = "4"
    house(two, parameters={"model": "other.safetensors"})
    two.drive_ready(node)
    assert ends(two) == [("dead", "NodeFailed")]


def test_a_restart_lets_a_task_try_at_once(two: World) -> None:
    node = looked(two.worker("w1", Script("node_error", "ok")))
    node.comfyui.failing_node = "4"
    house(two, 1)
    house(two, 2)
    two.drive_ready(node)
    assert ends(two) == []
    node.context.availability.forget()
    house(two, 3)
    two.drive_ready(node)
    assert ends(two) == [("succeeded", "Succeeded")]


PATH = "[Errno 2] No such file or directory: '/comfyui/custom_nodes/pack/checkpoints/house.safetensors'"


@pytest.mark.parametrize(
    ("message", "pools"),
    [
        (PATH, True),
        ("PytorchStreamReader failed reading zip archive: failed finding central directory", True),
        ("Error(s) in loading state_dict for Net: size mismatch", True),
        ("invalid load key, '<'.", True),
        ("EOFError", True),
        ("struct.error: unpack requires a buffer of 4 bytes", True),
        ("FileNotFoundError: Checkpoint load failed.", True),
        ("the picture is too small", False),
        (PATH.replace("house", "mouse"), False),
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_a_node_that_cannot_read_its_model_file(
    world: World, message: str, *, pools: bool, own: bool
) -> None:
    """The task's prompt comes before that node, and has no part in it; a model that the task named has."""
    template = {
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}},
        "4": {"class_type": "PackColorize", "inputs": {"ckpt_name": "house.safetensors", "text": ["6", 0]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "x"}},
    }
    world.workflows = (TEXT, dataclasses.replace(MODEL, template=template))
    node = world.worker("w1", Script("node_error"))
    node.comfyui.classes["PackColorize"] = {"python_module": "custom_nodes.pack"}
    looked(node)
    node.comfyui.failing_node, node.comfyui.failing_class = "4", "PackColorize"
    node.comfyui.failing_message = message
    house(world, **({"parameters": {"model": "mouse.safetensors"}} if own else {}))
    world.drive_ready(node)
    assert ends(world) == ([] if pools and not own else [("dead", "NodeFailed")])
    assert node.comfyui.freed == 1, "a pack's node may be half made, and would be used again"


def test_a_wish_to_free_memory_that_comes_between_two_prompts_is_heeded_before_the_next(world: World) -> None:
    """ComfyUI looks for it only after a prompt, and would give the next task the node that failed."""
    node = world.worker("w1", Script("node_error", "ok"))
    node.comfyui.classes["SaveImage"] = {"python_module": "custom_nodes.pack", "output_node": True}
    looked(node).comfyui.failing_class = "SaveImage"
    for name in ("a", "b"):
        world.send({"task_id": name, "prompt": "x"})
    world.drive_ready(node)
    assert len(node.comfyui.posted) == 2
    assert node.comfyui.used_half_made == []


def test_another_name_of_the_usual_model_is_no_choice_of_the_tasks(world: World) -> None:
    """The file is the same, and missing for all."""
    model = MODEL.parameters.parameters["model"]
    target = model.targets[0].model_copy(update={"values": {"home": "house.safetensors"}})
    parameters = MODEL.parameters.parameters | {"model": model.model_copy(update={"targets": [target]})}
    workflow = dataclasses.replace(
        MODEL, parameters=MODEL.parameters.model_copy(update={"parameters": parameters})
    )
    world.workflows = (TEXT, workflow)
    node = world.worker("w1", Script("node_error"))
    node.comfyui.classes[LOADER] = {"python_module": "nodes"}
    looked(node)
    node.comfyui.failing_node, node.comfyui.failing_class = "4", LOADER
    node.comfyui.failing_message = "invalid load key, '<'."
    house(world, parameters={"model": "home"})
    world.drive_ready(node)
    assert ends(world) == []


def test_comfyuis_own_nodes_keep_nothing_that_could_be_half_made(world: World) -> None:
    node = looked(world.worker("w1", Script("node_error")))
    world.send({"task_id": "t", "prompt": "x"})
    world.drive_ready(node)
    assert ends(world) == [("dead", "NodeFailed")]
    assert node.comfyui.freed == 0
