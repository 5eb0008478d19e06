"""Going wrong on request: what the tests of everything else rely on."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable

import pytest
import requests
from PIL import Image

from contract.comfyui import graphs
from contract.comfyui.client import Json, last_message, wait_for
from contract.comfyui.process import Standin

pytestmark = pytest.mark.standin

Start = Callable[..., Standin]


def _picture(server: Standin, graph: graphs.Graph, node: str = "9") -> Image.Image:
    entry = server.run(graph)
    assert entry["status"]["status_str"] == "success", entry["status"]
    (image,) = entry["outputs"][node]["images"]
    return Image.open(io.BytesIO(server.view(image).content)).convert("RGB")


def _seconds(entry: Json) -> float:
    """Return how long the job ran, by the server's own clock."""
    times = [data["timestamp"] for _, data in entry["status"]["messages"]]
    return float(times[-1] - times[0]) / 1000


def test_crash_once_across_a_restart(standin: Start) -> None:
    server = standin()
    server.queue(graphs.text_to_image("[standin:crash:once]"))
    assert server.exit_code() == 139
    again = standin()
    assert _picture(again, graphs.text_to_image("[standin:crash:once]")).size == (64, 64)


def test_hang_answers_nothing_and_stays(standin: Start) -> None:
    server = standin()
    server.queue(graphs.text_to_image("[standin:hang]"))

    def silent() -> bool:
        try:
            server.http.get(f"{server.url}/prompt", timeout=0.5)
        except requests.ReadTimeout:
            return True
        return False

    wait_for("the server to hang", silent)
    assert server.process.poll() is None
    server.signal(signal.SIGINT)
    assert silent()
    server.signal(signal.SIGTERM)
    assert server.exit_code(2) == -signal.SIGTERM


def test_wedge_answers_and_gets_nowhere(standin: Start) -> None:
    server = standin()
    with server.events() as events:
        graph = graphs.text_to_image("[standin:wedge]")
        prompt_id = server.queue(graph, client_id=events.client_id)
        events.until("progress", value=2)
        server.post("/interrupt", json={"prompt_id": prompt_id})
        assert events.silent_for(0.3)
        assert server.running() == [prompt_id]
        server.post("/standin/command", json={"command": "clear"})
        events.until("execution_interrupted", prompt_id=prompt_id)


def test_a_blocking_node_notices_an_interrupt_only_afterwards(standin: Start) -> None:
    server = standin()
    with server.events() as events:
        graph = graphs.text_to_image("[standin:block=1.5]")
        prompt_id = server.queue(graph, client_id=events.client_id)
        events.until("progress", value=2)
        server.post("/interrupt", json={"prompt_id": prompt_id})
        assert events.silent_for(0.3)
        assert server.running() == [prompt_id]
        assert server.get("/system_stats").status_code == 200
        events.until("execution_interrupted", prompt_id=prompt_id)
    assert server.run(graphs.text_to_image("afterwards"))["status"]["completed"] is True


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
def test_a_node_that_exits_ends_all_running_and_nothing_else(standin: Start, version: str) -> None:
    """As `sys.exit()` in a node: it answers for ever, and the job in hand runs for ever."""
    server = standin("--standin-version", version)
    with server.events() as events:
        exiting = server.queue(graphs.text_to_image("[standin:exit]"), client_id=events.client_id)
        events.until("progress", value=2)
        waiting = server.queue(graphs.trivial(graphs.fresh_prefix()), client_id=events.client_id)
        server.post("/interrupt", json={"prompt_id": exiting})
        assert events.silent_for(0.3)
    assert (server.running(), server.pending()) == ([exiting], [waiting])
    assert server.history(exiting) == {}
    assert server.get("/system_stats").status_code == 200
    server.post("/queue", json={"delete": [exiting, waiting]})
    assert (server.running(), server.pending()) == ([exiting], [])
    server.signal(signal.SIGTERM)
    assert server.exit_code(2) == -signal.SIGTERM


def test_the_thread_for_prompts_can_end_between_two_of_them(standin: Start) -> None:
    """As when freeing memory after a job fails: nothing runs, and what waits never begins."""
    server = standin()
    with server.events() as events:
        last = server.queue(graphs.text_to_image("[standin:exit-after]"), client_id=events.client_id)
        events.until_job_end(last)
        assert server.history(last)["status"]["completed"] is True
        after = server.queue(graphs.trivial(graphs.fresh_prefix()), client_id=events.client_id)
        assert events.silent_for(0.3)
    assert (server.running(), server.pending()) == ([], [after])


def test_0_3_64_takes_null_for_extra_data_and_runs_nothing_any_more(standin: Start) -> None:
    server = standin("--standin-version", "0.3.64")
    null = server.queue(graphs.trivial(graphs.fresh_prefix()), extra_data=None)
    server.wait_until_running(null)
    after = server.queue(graphs.trivial(graphs.fresh_prefix()))
    server.post("/interrupt", json={"prompt_id": null})
    rows = server.get("/queue").json()
    assert [row[1] for row in rows["queue_running"]] == [null]
    assert rows["queue_running"][0][3] is None
    assert [row[1] for row in rows["queue_pending"]] == [after]
    assert server.get("/system_stats").status_code == 200


@pytest.mark.parametrize(
    ("fault", "exception"),
    [("fail-node", "RuntimeError"), ("oom", "torch.OutOfMemoryError")],
)
def test_a_node_fails(standin: Start, fault: str, exception: str) -> None:
    server = standin()
    name, error = last_message(server.run(graphs.text_to_image(f"[standin:{fault}]")))
    assert name == "execution_error"
    assert (error["exception_type"], error["node_type"]) == (exception, "KSampler")
    assert error["current_inputs"]["steps"] == [4]
    assert _picture(server, graphs.text_to_image("afterwards")).size == (64, 64)


def test_slow_sets_the_samplers_time(standin: Start) -> None:
    server = standin()
    entry = server.run(graphs.text_to_image("[standin:slow=0.6]", steps=20))
    assert 0.6 <= _seconds(entry) < 5


def test_a_job_without_a_heavy_node_can_go_wrong_too(standin: Start) -> None:
    server = standin()
    graph = graphs.trivial("x/[standin:fail-node]")
    assert last_message(server.run(graph))[0] == "execution_error"


def test_a_misspelt_fault_fails_the_job(standin: Start) -> None:
    _, error = last_message(standin().run(graphs.text_to_image("[standin:explode]")))
    assert "knows no fault 'explode'" in error["exception_message"]


def test_a_picture_too_large_for_the_card(standin: Start) -> None:
    server = standin("--standin-vram-gb", "6")
    _, error = last_message(server.run(graphs.text_to_image("a", width=2048, height=2048)))
    assert error["exception_type"] == "torch.OutOfMemoryError"
    assert "Tried to allocate 16.00 GiB" in error["exception_message"]


def test_the_first_use_of_a_model_takes_the_load_time(standin: Start) -> None:
    server = standin("--standin-load-seconds", "1.5")
    assert _seconds(server.run(graphs.text_to_image("one"))) >= 1.5
    assert _seconds(server.run(graphs.text_to_image("other"))) < 1.5


def test_commands_by_http(standin: Start) -> None:
    server = standin()
    state = server.post("/standin/command", json={"command": "fail-node"}).json()
    assert state["waiting_for_next_task"] == ["fail-node"]
    assert last_message(server.run(graphs.text_to_image("a")))[0] == "execution_error"
    assert last_message(server.run(graphs.text_to_image("a")))[0] == "execution_success"
    server.post("/standin/command", json={"command": "fail-stats"})
    assert server.get("/system_stats").status_code == 500
    server.post("/standin/command", json={"command": "clear"})
    assert server.get("/system_stats").status_code == 200
    unknown = server.post("/standin/command", json={"command": "dance"})
    assert unknown.status_code == 400
    assert "knows no fault 'dance'" in unknown.json()["error"]
    server.post("/standin/command", json={"command": "hang=1.5"})
    with pytest.raises(requests.ReadTimeout):
        server.http.get(f"{server.url}/prompt", timeout=0.4)
    wait_for("answers again", server.answers)
    assert server.post("/standin/command", json={"command": "crash"}).json()["standin"] is True
    assert server.exit_code() == 139


def test_it_says_that_it_is_a_standin(standin: Start) -> None:
    server = standin()
    assert "stand-in" in server.get("/").text
    assert "stand-in" in server.get("/system_stats").json()["standin"]["note"]
    assert "stand-in" in server.get("/standin").json()["note"]
    assert "stand-in" in server.log.read_text()


def test_pictures_follow_size_seed_and_prompt(standin: Start) -> None:
    server = standin()
    graph = graphs.text_to_image("a sunset", width=512, height=256, seed=42)
    picture = _picture(server, graph)
    assert picture.size == (512, 256)
    graph["9"]["inputs"]["filename_prefix"] = graphs.fresh_prefix()
    assert _picture(server, graph).tobytes() == picture.tobytes()
    graph["17"]["inputs"]["seed"] = 43
    assert _picture(server, graph).tobytes() != picture.tobytes()


def _photo() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((120, 90)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("flags", "class_type", "inputs"),
    [
        ((), "DDColor_Colorize", {"model_input_size": 512, "checkpoint": "ddcolor_modelscope.pth"}),
        (
            ("--standin-node-pack", "ddcolor-legacy"),
            "DDColor-DDColorize",
            {"size": 680, "model": "ddcolor-imagenet"},
        ),
    ],
)
def test_a_photo_is_tinted(
    standin: Start, flags: tuple[str, ...], class_type: str, inputs: dict[str, object]
) -> None:
    server = standin(*flags)
    server.upload("photo.jpg", _photo())
    graph = graphs.load_and_save("photo.jpg")
    graph["3"] = graphs.node(class_type, image=["1", 0], **inputs)
    graph["2"]["inputs"]["images"] = ["3", 0]
    picture = _picture(server, graph, "2")
    assert picture.size == (120, 90)
    red, green, blue = (band.tobytes() for band in picture.split())
    assert red != green != blue
    known = server.get("/object_info").json()
    assert (class_type in known, len({"DDColor_Colorize", "DDColor-DDColorize"} & set(known))) == (
        True,
        1,
    )
