"""History, queue and jobs: how a job's state and end are told."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, Json, last_message
from contract.comfyui.process import Standin


def _broken_file(comfyui: ComfyUI) -> str:
    name = f"{uuid.uuid4()}.png"
    assert comfyui.upload(name, b"this is no picture").status_code == 200
    return name


def test_history_of_a_success(comfyui: ComfyUI) -> None:
    prefix = graphs.fresh_prefix()
    prompt_id = comfyui.queue(graphs.trivial(prefix))
    entry = comfyui.ended(prompt_id)
    assert set(entry) >= {"prompt", "outputs", "status", "meta"}
    assert entry["prompt"][1] == prompt_id
    assert entry["prompt"][4] == ["3"]
    subfolder, stem = prefix.split("/")
    (image,) = entry["outputs"]["3"]["images"]
    assert image["filename"] == f"{stem}_00001_.png"
    assert image["subfolder"] == subfolder
    assert image["type"] == "output"
    assert entry["status"]["status_str"] == "success"
    assert entry["status"]["completed"] is True
    assert last_message(entry)[0] == "execution_success"


def test_history_says_nothing_of_unknown_pending_and_running_ids(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    running = comfyui.queue(slow_graph())
    pending = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    comfyui.wait_until_running(running)
    for prompt_id in (running, pending, str(uuid.uuid4())):
        answer = comfyui.get(f"/history/{prompt_id}")
        assert (answer.status_code, answer.json()) == (200, {})


def test_an_error_has_its_fields_in_the_last_message(comfyui: ComfyUI, recorded: Json) -> None:
    entry = comfyui.run(graphs.load_and_save(_broken_file(comfyui)))
    name, data = last_message(entry)
    assert name == "execution_error"
    assert set(data) >= set(recorded["execution_error_keys"])
    assert (data["node_id"], data["node_type"]) == ("1", "LoadImage")
    assert data["exception_type"] == "PIL.UnidentifiedImageError"
    assert "cannot identify image file" in data["exception_message"]
    assert data["traceback"]
    assert entry["status"]["status_str"] == "error"
    assert entry["status"]["completed"] is False


def test_an_interruption_differs_from_an_error_in_the_last_message_only(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    prompt_id = comfyui.queue(slow_graph())
    comfyui.wait_until_running(prompt_id)
    comfyui.post("/interrupt", json={"prompt_id": prompt_id})
    entry = comfyui.ended(prompt_id)
    assert entry["status"]["status_str"] == "error"
    assert entry["status"]["completed"] is False
    name, data = last_message(entry)
    assert name == "execution_interrupted"
    assert set(data) >= {"prompt_id", "node_id", "node_type", "executed"}


def test_partial_outputs_survive_an_error(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["4"] = graphs.node("LoadImage", image=_broken_file(comfyui))
    graph["5"] = graphs.node("PreviewImage", images=["4", 0])
    entry = comfyui.run(graph)
    _, error = last_message(entry)
    assert set(entry["outputs"]) == {"3"} & set(error["executed"])
    if isinstance(comfyui, Standin):  # a real one may start with the branch that fails
        assert set(entry["outputs"]) == {"3"}


def test_an_entry_can_be_deleted(comfyui: ComfyUI) -> None:
    prompt_id = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    comfyui.ended(prompt_id)
    assert comfyui.post("/history", json={"delete": [prompt_id]}).status_code == 200
    assert comfyui.history(prompt_id) == {}


def test_history_can_be_limited_to_the_newest(comfyui: ComfyUI) -> None:
    comfyui.run(graphs.trivial(graphs.fresh_prefix()))
    newest = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    comfyui.ended(newest)
    assert list(comfyui.get("/history", params={"max_items": 1}).json()) == [newest]


def test_the_queue_shows_five_elements_a_job(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    running = comfyui.queue(slow_graph(), client_id="someone")
    comfyui.wait_until_running(running)
    graph = graphs.trivial(graphs.fresh_prefix())
    pending = comfyui.queue(graph, extra_data={"mine": 1})
    queue = comfyui.get("/queue").json()
    (running_row,) = queue["queue_running"]
    (pending_row,) = queue["queue_pending"]
    assert running_row[1] == running
    assert running_row[3]["client_id"] == "someone"
    number, prompt_id, prompt, extra_data, outputs = pending_row
    assert isinstance(number, int | float)
    assert (prompt_id, prompt, outputs) == (pending, graph, ["3"])
    assert extra_data["mine"] == 1
    assert comfyui.get("/prompt").json() == {"exec_info": {"queue_remaining": 2}}


def test_jobs_tell_the_five_states(comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]) -> None:
    if comfyui.profile == "0.3.64":
        assert comfyui.get("/api/jobs").status_code == 404
        return
    completed = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    failed = comfyui.queue(graphs.load_and_save(_broken_file(comfyui)))
    cancelled = comfyui.queue(slow_graph())
    comfyui.wait_until_running(cancelled)
    pending = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))

    def status(prompt_id: str) -> str:
        return str(comfyui.get(f"/api/jobs/{prompt_id}").json()["status"])

    assert status(completed) == "completed"
    assert status(failed) == "failed"
    assert status(cancelled) == "in_progress"
    assert status(pending) == "pending"
    known = {job["id"] for job in comfyui.get("/api/jobs").json()["jobs"]}
    assert known >= {completed, failed, cancelled, pending}
    assert comfyui.post(f"/api/jobs/{pending}/cancel").json() == {"cancelled": True}
    assert comfyui.post(f"/api/jobs/{cancelled}/cancel").json() == {"cancelled": True}
    assert comfyui.post(f"/api/jobs/{completed}/cancel").json() == {"cancelled": False}
    comfyui.ended(cancelled)
    assert status(cancelled) == "cancelled"
    assert comfyui.get(f"/api/jobs/{pending}").status_code == 404


@pytest.mark.parametrize("poison", [None, {"workflow": None}], ids=["null", "null workflow"])
def test_a_null_extra_pnginfo_poisons_jobs_until_it_is_deleted(comfyui: ComfyUI, poison: Json | None) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    prompt_id = comfyui.queue(graph, extra_data={"extra_pnginfo": poison})
    assert comfyui.ended(prompt_id)["status"]["status_str"] == "success"
    expected = {"0.33.0": (500, 200), "0.3.64": (404, 404)}[comfyui.profile]
    assert comfyui.get("/api/jobs").status_code == expected[0]
    comfyui.post("/history", json={"delete": [prompt_id]})
    assert comfyui.get("/api/jobs").status_code == expected[1]


@pytest.mark.standin
def test_history_is_written_after_execution_success(standin: Callable[..., Standin]) -> None:
    server = standin("--standin-history-lag-seconds", "1")
    with server.events() as events:
        graph = graphs.trivial(graphs.fresh_prefix())
        prompt_id = server.queue(graph, client_id=events.client_id)
        events.until("execution_success", prompt_id=prompt_id)
        assert server.history(prompt_id) == {}
        events.until_job_end(prompt_id)
        assert server.history(prompt_id)["status"]["completed"] is True
