"""Identical prompts: what is not run again."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, Json
from contract.comfyui.process import Standin


def _run(server: ComfyUI, graph: graphs.Graph) -> tuple[list[str], list[str], Json]:
    """Run a graph; return the nodes that ran, those said to be cached, and the outputs."""
    with server.events() as events:
        prompt_id = server.queue(graph, client_id=events.client_id)
        frames = [each for each in events.until_job_end(prompt_id) if isinstance(each, dict)]
    ran = [each["data"]["node"] for each in frames if each["type"] == "executing"]
    (cached,) = [each["data"]["nodes"] for each in frames if each["type"] == "execution_cached"]
    return [node for node in ran if node], sorted(cached), server.ended(prompt_id)["outputs"]


def test_an_identical_prompt_returns_the_same_file_names(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    ran, cached, outputs = _run(comfyui, graph)
    assert (ran, cached) == (["1", "2", "3"], [])
    ran, cached, again = _run(comfyui, graph)
    assert (ran, cached) == ([], ["1", "2", "3"])
    assert again == outputs
    second = dict(outputs["3"]["images"][0])
    second["filename"] = second["filename"].replace("_00001_", "_00002_")
    assert comfyui.view(second).status_code == 404


def test_a_prefix_of_its_own_runs_the_save_node_only(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    _run(comfyui, graph)
    graph["3"]["inputs"]["filename_prefix"] = graphs.fresh_prefix()
    ran, cached, _ = _run(comfyui, graph)
    assert (ran, cached) == (["3"], ["1", "2"])


def test_new_bytes_under_the_same_name_are_loaded_again(comfyui: ComfyUI) -> None:
    name = f"{graphs.fresh_prefix().split('/')[1]}.png"
    (old,) = comfyui.run(graphs.trivial(graphs.fresh_prefix()))["outputs"]["3"]["images"]
    (new,) = comfyui.run(graphs.trivial(graphs.fresh_prefix()))["outputs"]["3"]["images"]
    graph = graphs.load_and_save(name)
    for image in (old, new):
        comfyui.upload(name, comfyui.view(image).content, overwrite="true")
        ran, _, _ = _run(comfyui, graph)
        assert ran == ["1", "2"]


@pytest.mark.standin
def test_the_names_are_returned_even_if_the_file_is_gone(standin: Callable[..., Standin]) -> None:
    server = standin()
    graph = graphs.trivial(graphs.fresh_prefix())
    _, _, outputs = _run(server, graph)
    (image,) = outputs["3"]["images"]
    server.path_of(image).unlink()
    _, _, again = _run(server, graph)
    assert again == outputs
    assert server.view(image).status_code == 404


def test_an_input_that_no_class_has_runs_the_node_again(comfyui: ComfyUI) -> None:
    """Nothing but the cache looks at it."""
    graph = graphs.trivial(graphs.fresh_prefix())
    _run(comfyui, graph)
    graph["3"]["inputs"]["genpool_mark"] = "unused until now"
    ran, cached, outputs = _run(comfyui, graph)
    assert (ran, cached) == (["3"], ["1", "2"])
    assert outputs["3"]["images"][0]["filename"].endswith("_00002_.png")


@pytest.mark.standin
def test_another_jobs_picture_is_served_from_the_cache(standin: Callable[..., Standin]) -> None:
    """A node that saves at a path of its own: what stands there is told for every job that was cached."""
    server = standin("--cache-lru", "20")
    red, blue = (
        graphs.text_and_picture(graphs.fresh_prefix(), "same/latest.png", color=color)
        for color in (0xFF0000, 0x0000FF)
    )
    outputs = [_run(server, graph)[2]["5"]["images"][0] for graph in (red, blue)]
    _, cached, again = _run(server, red)
    assert cached == ["1", "2", "3", "4", "5"]
    assert again["5"]["images"] == [outputs[0]] == [outputs[1]]
    picture = Image.open(io.BytesIO(server.view(outputs[0]).content)).convert("RGB")
    assert picture.getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.standin
def test_the_usual_cache_keeps_the_last_prompt_only(standin: Callable[..., Standin]) -> None:
    server = standin()
    one, other = (graphs.trivial(graphs.fresh_prefix()) for _ in range(2))
    for graph in (one, other):
        _run(server, graph)
    assert _run(server, one)[0] == ["1", "2", "3"]


@pytest.mark.standin
def test_cache_lru_keeps_more(standin: Callable[..., Standin]) -> None:
    server = standin("--cache-lru", "10")
    one, other = (graphs.trivial(graphs.fresh_prefix()) for _ in range(2))
    for graph in (one, other):
        _run(server, graph)
    assert _run(server, one)[0] == []


@pytest.mark.standin
def test_cache_none_runs_everything_again(standin: Callable[..., Standin]) -> None:
    server = standin("--cache-none")
    graph = graphs.trivial(graphs.fresh_prefix())
    names = []
    for _ in range(2):
        ran, _, outputs = _run(server, graph)
        assert ran == ["1", "2", "3"]
        names.append(outputs["3"]["images"][0]["filename"][-11:])
    assert names == ["_00001_.png", "_00002_.png"]
