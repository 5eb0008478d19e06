"""Results are stored as they land: while the prompt runs, each once, and only what the end lists stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakes.worker_comfyui import Script
from fakes.worker_world import Node, World
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.messages.commands import CancelTask
from genpool_core.messages.events import TaskOutput
from genpool_worker.comfyui.landed import Landed
from genpool_worker.comfyui_json import Frame
from genpool_worker.ports import OutputRef

NINE_CACHED: JsonObject = {"type": "execution_cached", "data": {"nodes": ["9"]}}
NOTHING_CACHED: JsonObject = {"type": "execution_cached", "data": {"nodes": []}}


def file(name: str, subfolder: str = "x", kind: str = "output") -> JsonObject:
    return {"filename": name, "subfolder": subfolder, "type": kind}


def executed(node: str = "9", *files: JsonValue) -> JsonObject:
    """The fake's own prompt saves ``a.png`` at node 9."""
    images: list[JsonValue] = list(files or (file("a.png"),))
    names: list[JsonValue] = [item["filename"] for item in images if isinstance(item, dict)]
    data: JsonObject = {"node": node, "output": {"images": images, "animated": [False]}}
    return {"type": "executed", "files": names, "data": data}


# From frames to files -----------------------------------------------------------------------------------------------


def feed(*frames: JsonObject) -> list[str]:
    landed = Landed("p")
    found: list[OutputRef] = []
    for item in frames:
        data = {"prompt_id": "p", **item["data"]}  # type: ignore[dict-item]
        found += landed.feed(Frame.read_object({**item, "data": data}))
    return [f"{ref.node}/{ref.kind}/{ref.subfolder}/{ref.filename}" for ref in found]


@pytest.mark.parametrize(
    ("frames", "landed"),
    [
        ([NOTHING_CACHED, executed()], ["9/images/x/a.png"]),
        ([NOTHING_CACHED, executed("9"), executed("10")], ["9/images/x/a.png", "10/images/x/a.png"]),
        ([NOTHING_CACHED, executed("9", file("a.png", kind="temp"), file("b.png"))], ["9/images/x/b.png"]),
        ([NINE_CACHED, executed("9"), executed("10")], ["10/images/x/a.png"]),
        ([executed()], []),
        ([NOTHING_CACHED, {"type": "executed", "data": {"node": "9", "output": None}}], []),
        ([NOTHING_CACHED, {"type": "executed", "data": {"output": {"images": [file("a.png")]}}}], []),
        ([NOTHING_CACHED, {"type": "executing", "data": {"node": "9"}}], []),
        ([NOTHING_CACHED, {**executed(), "data": {**executed()["data"], "prompt_id": "other"}}], []),  # type: ignore[dict-item]
    ],
)  # fmt: skip
def test_what_has_landed(frames: list[JsonObject], landed: list[str]) -> None:
    assert feed(*frames) == landed


# In a run -----------------------------------------------------------------------------------------------------------


def run(world: World, *frames: JsonObject, script: Script | None = None) -> Node:
    node = world.worker("w1", script)
    node.comfyui.frames = list(frames)
    world.send({"task_id": "t", "prompt": "x"})
    world.drive(node)
    return node


def told(node: Node) -> list[str]:
    return [event.output.key for event in node.events if isinstance(event, TaskOutput)]


def end_of(world: World) -> JsonObject:
    (end,) = world.store.records("end.json").values()
    return end


def files(world: World) -> list[str]:
    return [key for key in world.store.objects if not key.endswith(".json")]


def test_a_result_is_stored_and_told_while_the_prompt_runs(world: World) -> None:
    node = run(world, NOTHING_CACHED, executed(), {"type": "progress", "data": {"value": 1, "max": 2}})
    steps = node.steps.names
    assert steps.count("store.put_file") == steps.count("comfyui.download") == 1
    assert "comfyui.receive" in steps[steps.index("store.put_file") :], "it ran on"
    assert [output["key"] for output in end_of(world)["outputs"]] == told(node) == files(world)  # type: ignore[index, call-overload, union-attr]


def test_what_did_not_land_is_stored_at_the_end_and_told_too(world: World) -> None:
    node = run(world)
    assert told(node) == files(world)
    assert len(told(node)) == 1


def test_what_landed_and_is_no_result_after_all_is_deleted(world: World) -> None:
    """A node of ComfyUI may say anything over the websocket."""
    node = run(world, NOTHING_CACHED, executed("9", file("other.png")), executed())
    assert len(told(node)) == 2
    assert [output["key"] for output in end_of(world)["outputs"]] == files(world)  # type: ignore[index, call-overload, union-attr]
    assert len(files(world)) == 1


@pytest.mark.parametrize("failing", ["comfyui.download", "store.put_file"])
def test_what_cannot_be_stored_early_is_left_for_the_end(world: World, failing: str) -> None:
    node = world.worker("w1")
    node.comfyui.frames = [NOTHING_CACHED, executed(), executed("10")]
    node.steps.fail_on = failing

    def mend() -> None:
        node.steps.fail_on = None

    world.send({"task_id": "t", "prompt": "x"})
    numbers = {"comfyui.download": 16, "store.put_file": 17}
    node.steps.between[numbers[failing]] = mend
    world.drive(node)
    assert node.steps.failed == [failing]
    assert (end_of(world)["outcome"], end_of(world)["attempt"]) == ("succeeded", 1)
    assert told(node) == files(world)
    assert len(files(world)) == 1


def test_a_failed_attempt_leaves_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(max_attempts=1)
    node = run(world, NOTHING_CACHED, executed(), script=Script("node_error"))
    assert len(told(node)) == 1
    assert end_of(world)["outcome"] == "dead"
    assert not files(world)


def test_a_result_from_the_cache_is_judged_at_the_end(world: World) -> None:
    """One node has landed, another came from the cache: the prompt runs again, and nothing is left of the first run."""
    node = run(world, NINE_CACHED, executed("9"), executed("10", file("b.png")), script=Script("cached"))
    assert len(node.comfyui.graphs) == 2
    assert end_of(world)["outcome"] == "succeeded"
    (output,) = end_of(world)["outputs"]  # type: ignore[misc]
    assert (output["width"], output["height"]) == (64, 48)  # type: ignore[index, call-overload]
    assert [output["key"]] == files(world)  # type: ignore[index, call-overload]


def test_a_cancelled_run_leaves_nothing(world: World) -> None:
    node = world.worker("w1")
    node.comfyui.frames = [NOTHING_CACHED, executed(), *[{"type": "progress"} for _ in range(5)]]
    world.send({"task_id": "t", "prompt": "x"})
    keys: list[str] = []

    def cancel() -> None:
        keys.extend(files(world))
        held = node.context.cancellation._held
        assert held is not None
        node.context.cancellation.cancel(CancelTask(task_key=held.key, run=held.run))

    node.steps.between[18] = cancel
    world.drive(node)
    assert len(keys) == 1, "it had landed"
    assert end_of(world)["outcome"] == "cancelled"
    assert not files(world)
