"""POST /prompt: what is accepted, what is refused, and how the refusals read."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, Json

_DATA = Path(__file__).parents[2] / "data" / "comfyui"
REFUSED = yaml.safe_load((_DATA / "refused_prompts.yaml").read_text())
TROUBLE = yaml.safe_load((_DATA / "server_trouble.yaml").read_text())
_TOO_LARGE = 101 * 1024 * 1024


def test_an_accepted_prompt_has_an_id_a_number_and_no_errors(comfyui: ComfyUI) -> None:
    first = comfyui.post("/prompt", json={"prompt": graphs.trivial(graphs.fresh_prefix())}).json()
    second = comfyui.post("/prompt", json={"prompt": graphs.trivial(graphs.fresh_prefix())}).json()
    assert set(first) == {"prompt_id", "number", "node_errors"}
    assert uuid.UUID(first["prompt_id"])
    assert first["node_errors"] == {}
    assert second["number"] == first["number"] + 1


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_refused_prompts(comfyui: ComfyUI, case: Json) -> None:
    answer = comfyui.post("/prompt", json=case["body"])
    assert answer.status_code == 400
    body = answer.json()
    assert set(body) == {"error", "node_errors"}
    assert set(body["error"]) >= {"type", "message", "details", "extra_info"}
    profile, kind = comfyui.profile, case["error"]
    assert body["error"]["type"] == (kind[profile] if isinstance(kind, dict) else kind)
    recorded = case.get("nodes", {}) if case.get("only", profile) == profile else {}
    for node_id, kinds in recorded.items():
        entry = body["node_errors"][node_id]
        assert set(entry) == {"errors", "dependent_outputs", "class_type"}
        assert sorted(error["type"] for error in entry["errors"]) == kinds
        for error in entry["errors"]:
            assert set(error) == {"type", "message", "details", "extra_info"}


def test_what_went_wrong_in_a_value_is_told(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["1"]["inputs"]["width"] = -5
    body = comfyui.post("/prompt", json={"prompt": graph}).json()
    (error,) = body["node_errors"]["1"]["errors"]
    assert error["details"] == "width"
    assert error["extra_info"]["input_name"] == "width"
    assert error["extra_info"]["received_value"] == -5
    assert body["node_errors"]["1"]["class_type"] == "EmptyImage"
    assert body["node_errors"]["1"]["dependent_outputs"] == ["3"]


def test_an_exception_in_validation_lets_out_a_traceback(comfyui: ComfyUI) -> None:
    graph = {"1": graphs.node("SaveImage", images=["99", 0], filename_prefix="c")}
    body = comfyui.post("/prompt", json={"prompt": graph}).json()
    (error,) = body["node_errors"]["1"]["errors"]
    assert error["extra_info"]["exception_type"] == "KeyError"
    assert any(".py" in line for line in error["extra_info"]["traceback"])


@pytest.mark.parametrize("case", TROUBLE, ids=lambda case: case["name"])
def test_server_trouble_is_500_in_plain_text(comfyui: ComfyUI, case: Json) -> None:
    if comfyui.profile != case.get("only", comfyui.profile):
        pytest.skip("this version takes it")
    answer = comfyui.post("/prompt", data=case["body"].encode())
    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_more_than_100_mb_is_413(comfyui: ComfyUI) -> None:
    assert comfyui.post("/prompt", data=b" " * _TOO_LARGE).status_code == 413


def test_values_are_converted(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["1"]["inputs"]["width"] = "16"
    entry = comfyui.run(graph)
    assert entry["prompt"][2]["1"]["inputs"]["width"] == 16


def test_200_with_node_errors_means_that_outputs_were_dropped(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["4"] = graphs.node("LoadImage", image="no-such-file.png")
    graph["5"] = graphs.node("PreviewImage", images=["4", 0])
    answer = comfyui.post("/prompt", json={"prompt": graph})
    assert answer.status_code == 200
    assert set(answer.json()["node_errors"]) == {"4"}
    assert answer.json()["node_errors"]["4"]["dependent_outputs"] == ["5"]
    entry = comfyui.ended(answer.json()["prompt_id"])
    assert entry["status"]["status_str"] == "success"
    assert set(entry["outputs"]) == {"3"}


def test_the_client_may_choose_the_id(comfyui: ComfyUI) -> None:
    chosen = str(uuid.uuid4())
    assert comfyui.queue(graphs.trivial(graphs.fresh_prefix()), prompt_id=chosen) == chosen
    assert comfyui.ended(chosen)["status"]["completed"] is True


def test_ids_that_are_no_lower_case_uuid(comfyui: ComfyUI, recorded: Json) -> None:
    for prompt_id in recorded["invalid_prompt_ids"]:
        body = {"prompt": graphs.trivial(graphs.fresh_prefix()), "prompt_id": prompt_id}
        answer = comfyui.post("/prompt", json=body)
        if comfyui.profile == "0.3.64":
            assert answer.status_code == 200
            assert answer.json()["prompt_id"] == prompt_id
        else:
            assert answer.status_code == 400
            assert answer.json()["error"]["type"] == "invalid_prompt_id"


def test_the_same_id_posted_twice_runs_twice(comfyui: ComfyUI) -> None:
    chosen = str(uuid.uuid4())
    prefixes = [graphs.fresh_prefix() for _ in range(2)]
    for prefix in prefixes:
        comfyui.queue(graphs.trivial(prefix), prompt_id=chosen)
    comfyui.wait_until_idle()
    entry = comfyui.history(chosen)
    assert entry["prompt"][2]["3"]["inputs"]["filename_prefix"] == prefixes[1]
    for prefix in prefixes:
        subfolder, stem = prefix.split("/")
        image = {"filename": f"{stem}_00001_.png", "subfolder": subfolder, "type": "output"}
        assert comfyui.view(image).status_code == 200


def test_front_and_number_decide_the_order(comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]) -> None:
    running = comfyui.queue(slow_graph())
    comfyui.wait_until_running(running)
    usual = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    front = comfyui.queue(graphs.trivial(graphs.fresh_prefix()), front=True)
    first = comfyui.queue(graphs.trivial(graphs.fresh_prefix()), number=-1e9)
    rows = comfyui.get("/queue").json()["queue_pending"]
    assert [row[1] for row in sorted(rows)] == [first, front, usual]
    assert rows[0][1] == first


def test_only_the_targets_are_run(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["4"] = graphs.node("PreviewImage", images=["1", 0])
    entry = comfyui.run(copy.deepcopy(graph), partial_execution_targets=["4"])
    assert set(entry["outputs"]) == {"4"}
