"""Events: their order, and who gets them."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable

import pytest
import websocket

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, Frame, Json
from contract.comfyui.process import Standin


def _named(frames: list[Frame]) -> list[str]:
    """Return the JSON events as recorded.yaml writes them, without status and progress_state."""
    names = []
    for frame in frames:
        if isinstance(frame, bytes) or frame["type"] in {"status", "progress_state"}:
            continue
        name = frame["type"]
        names.append(f"{name}:{frame['data']['node']}" if name in {"executing", "executed"} else name)
    return names


def test_the_first_frame_tells_queue_and_sid(comfyui: ComfyUI) -> None:
    address = comfyui.url.replace("http", "ws", 1)
    for path in ("/ws", "/api/ws"):
        socket = websocket.create_connection(f"{address}{path}", timeout=5)
        try:
            assert '"sid"' in socket.recv()
            socket.ping()
            assert socket.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG
        finally:
            socket.close()


def test_the_events_of_a_job_come_in_order(comfyui: ComfyUI, recorded: Json) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    with comfyui.events() as events:
        prompt_id = comfyui.queue(graph, client_id=events.client_id)
        frames = events.until_job_end(prompt_id)
        assert _named(frames) == recorded["job_events"]
        for frame in frames:
            assert isinstance(frame, dict)
            if frame["type"] != "status":
                assert frame["data"]["prompt_id"] == prompt_id
        prompt_id = comfyui.queue(graph, client_id=events.client_id)
        assert _named(events.until_job_end(prompt_id)) == recorded["cached_job_events"]


def test_history_is_there_when_executing_null_comes(comfyui: ComfyUI) -> None:
    with comfyui.events() as events:
        for _ in range(10):
            graph = graphs.trivial(graphs.fresh_prefix())
            prompt_id = comfyui.queue(graph, client_id=events.client_id)
            events.until_job_end(prompt_id)
            assert comfyui.history(prompt_id)["status"]["completed"] is True


def test_an_error_ends_with_execution_error_and_executing_null(comfyui: ComfyUI) -> None:
    name = f"{uuid.uuid4()}.png"
    comfyui.upload(name, b"no picture")
    with comfyui.events() as events:
        prompt_id = comfyui.queue(graphs.load_and_save(name), client_id=events.client_id)
        names = _named(events.until_job_end(prompt_id))
    assert names[-2:] == ["execution_error", "executing:None"]
    assert "execution_success" not in names


def test_an_interruption_ends_with_execution_interrupted(
    comfyui: ComfyUI, slow_graph: Callable[[], graphs.Graph]
) -> None:
    with comfyui.events() as events:
        prompt_id = comfyui.queue(slow_graph(), client_id=events.client_id)
        events.until("execution_cached", prompt_id=prompt_id)
        comfyui.post("/interrupt", json={"prompt_id": prompt_id})
        names = _named(events.until_job_end(prompt_id))
    assert names[-2:] == ["execution_interrupted", "executing:None"]


def test_only_the_jobs_client_gets_its_events(comfyui: ComfyUI) -> None:
    with comfyui.events() as mine, comfyui.events() as other:
        graph = graphs.trivial(graphs.fresh_prefix())
        prompt_id = comfyui.queue(graph, client_id=mine.client_id)
        mine.until_job_end(prompt_id)
        assert other.silent_for(0.2)


def test_a_job_without_client_id_sends_its_state_to_everyone_and_nothing_else(comfyui: ComfyUI) -> None:
    with comfyui.events() as one, comfyui.events() as other:
        prompt_id = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
        comfyui.ended(prompt_id)
        for events in (one, other):
            frames = events.until("status", status={"exec_info": {"queue_remaining": 0}})
            kinds = {frame["type"] for frame in frames if isinstance(frame, dict)}
            assert kinds == {"status", "progress_state"}
            assert all(
                frame["data"]["prompt_id"] == prompt_id
                for frame in frames
                if isinstance(frame, dict) and frame["type"] == "progress_state"
            )


def test_everyone_hears_of_the_queue(comfyui: ComfyUI) -> None:
    with comfyui.events() as events:
        comfyui.run(graphs.trivial(graphs.fresh_prefix()))
        frames = events.until("status", status={"exec_info": {"queue_remaining": 0}})
    assert {"exec_info": {"queue_remaining": 1}} in [
        frame["data"].get("status") for frame in frames if isinstance(frame, dict)
    ]


def test_nothing_is_replayed(comfyui: ComfyUI) -> None:
    client_id = uuid.uuid4().hex
    comfyui.run(graphs.trivial(graphs.fresh_prefix()), client_id=client_id)
    with comfyui.events(client_id) as events:
        assert events.silent_for(0.2)


def test_a_shared_client_id_is_silent_after_the_older_socket_closed(comfyui: ComfyUI) -> None:
    client_id = uuid.uuid4().hex
    with comfyui.events(client_id) as older, comfyui.events(client_id) as newer:
        older.socket.close()
        comfyui.run(graphs.trivial(graphs.fresh_prefix()), client_id=client_id)
        assert newer.silent_for(0.2)


@pytest.mark.standin
@pytest.mark.parametrize(("flag", "asked"), [("auto", {}), ("none", {"preview_method": "auto"})])
def test_progress_and_previews_of_a_sampler(
    standin: Callable[..., Standin], flag: str, asked: dict[str, str]
) -> None:
    server = standin("--preview-method", flag)
    with server.events() as events:
        graph = graphs.text_to_image("a", steps=4)
        prompt_id = server.queue(graph, client_id=events.client_id, extra_data=asked)
        frames = events.until_job_end(prompt_id)
    progress = [
        (frame["data"]["value"], frame["data"]["max"], frame["data"]["node"])
        for frame in frames
        if isinstance(frame, dict) and frame["type"] == "progress"
    ]
    assert progress == [(step, 4, "17") for step in (1, 2, 3, 4)]
    binary = [frame for frame in frames if isinstance(frame, bytes)]
    assert len(binary) == 4
    assert struct.unpack(">II", binary[0][:8]) == (1, 1)
    assert binary[0][8:10] == b"\xff\xd8"
