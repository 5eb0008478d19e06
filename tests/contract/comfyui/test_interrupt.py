"""Interrupting, dropping and freeing."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, last_message, wait_for
from contract.comfyui.process import Standin


def test_an_id_that_does_not_run_interrupts_nothing(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    running = comfyui.queue(slow_graph(), client_id="somebody")
    pending = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    comfyui.wait_until_running(running)
    for prompt_id in (pending, str(uuid.uuid4())):
        assert comfyui.post("/interrupt", json={"prompt_id": prompt_id}).status_code == 200
    with comfyui.events() as events:
        assert events.silent_for(0.2)
    assert comfyui.running() == [running]
    assert comfyui.pending() == [pending]


def test_an_empty_body_interrupts_whatever_runs(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    running = comfyui.queue(slow_graph())
    comfyui.wait_until_running(running)
    assert comfyui.post("/interrupt").status_code == 200
    assert last_message(comfyui.ended(running))[0] == "execution_interrupted"


def test_an_interrupt_with_nothing_running_is_forgotten(comfyui: ComfyUI) -> None:
    assert comfyui.post("/interrupt").status_code == 200
    entry = comfyui.run(graphs.trivial(graphs.fresh_prefix()))
    assert entry["status"]["status_str"] == "success"


def test_during_the_last_node_an_interrupt_is_lost(comfyui: ComfyUI) -> None:
    graph = {
        "1": graphs.empty_image(6000, 6000),
        "2": graphs.node("SaveImage", images=["1", 0], filename_prefix=graphs.fresh_prefix()),
    }
    with comfyui.events() as events:
        prompt_id = comfyui.queue(graph, client_id=events.client_id)
        events.until("executing", node="2")
        comfyui.post("/interrupt", json={"prompt_id": prompt_id})
        events.until("execution_success", prompt_id=prompt_id)
    assert comfyui.ended(prompt_id)["status"]["completed"] is True


def test_dropping_a_pending_job_leaves_no_trace(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    running = comfyui.queue(slow_graph())
    comfyui.wait_until_running(running)
    pending = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    kept = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    answer = comfyui.post("/queue", json={"delete": [pending, running]})
    assert answer.status_code == 200
    assert comfyui.running() == [running]
    assert comfyui.pending() == [kept]
    comfyui.post("/interrupt", json={"prompt_id": running})
    comfyui.ended(kept)
    assert comfyui.history(pending) == {}


def test_free_is_accepted(comfyui: ComfyUI) -> None:
    answer = comfyui.post("/free", json={"unload_models": True, "free_memory": True})
    assert answer.status_code == 200


@pytest.mark.standin
def test_free_acts_after_the_current_job(standin: Callable[..., Standin]) -> None:
    server = standin()

    def free() -> int:
        return int(server.get("/system_stats").json()["devices"][0]["vram_free"])

    empty = free()
    server.post("/standin/command", json={"command": "wedge"})
    running = server.queue(graphs.text_to_image("a"))
    wait_for("the model to be loaded", lambda: free() < empty)
    server.post("/free", json={"unload_models": True})
    assert free() < empty
    server.post("/standin/command", json={"command": "clear"})
    server.ended(running)
    wait_for("the model to be unloaded", lambda: free() == empty)


@pytest.mark.standin
def test_free_memory_forgets_cached_results(standin: Callable[..., Standin]) -> None:
    server = standin()
    graph = graphs.trivial("once/more")
    server.run(graph)
    server.post("/free", json={"free_memory": True})
    entry = server.run(graph)
    assert entry["outputs"]["3"]["images"][0]["filename"] == "more_00002_.png"
