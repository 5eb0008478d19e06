"""ComfyUI answers from its cache: what it lists is of another run, perhaps of another task."""

from __future__ import annotations

import pytest

from fakes.worker_comfyui import Result, Script
from fakes.worker_world import World
from genpool_core.workflow.render import MARK_INPUT


def send(world: World, script: Script) -> list[dict[str, object]]:
    node = world.worker("w1", script)
    world.send({"task_id": "t", "prompt": "x"})
    world.drive(node)
    graphs: list[dict[str, object]] = [dict(graph) for graph in node.comfyui.graphs]
    assert not node.comfyui.entries, "both history entries are deleted"
    return graphs


@pytest.mark.parametrize("result", ["cached", "gone"])
def test_the_nodes_run_again_in_the_same_attempt(world: World, result: Result) -> None:
    first, second = send(world, Script(result))
    assert MARK_INPUT not in str(first)
    assert MARK_INPUT in str(second["9"])
    assert MARK_INPUT not in str({**second, "9": None}), "the others may come from the cache"
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["attempt"]) == ("succeeded", 1)
    (output,) = end["outputs"]  # type: ignore[misc] - JSON
    assert (output["width"], output["height"]) == (64, 48), "not the other task's picture"  # type: ignore[index,call-overload]


def test_a_cache_that_answers_all_the_same_is_emptied(world: World) -> None:
    node = world.worker("w1", Script("cached always", "cached always", "ok"))
    world.send({"task_id": "t", "prompt": "x"})
    world.drive(node)
    assert node.comfyui.freed == 1
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["attempt"]) == ("succeeded", 2)
