"""How it starts and dies, and what survives."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.comfyui import graphs
from contract.comfyui.process import Standin

pytestmark = pytest.mark.standin


def _signals(server: Standin, field: str) -> set[int]:
    """Return the signal numbers in a mask of /proc/<pid>/status."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith(f"{field}:")]
    mask = int(line.split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def test_sigterm_kills_at_once_with_a_job_running(standin: Callable[..., Standin]) -> None:
    server = standin()
    server.wait_until_running(server.queue(graphs.text_to_image("[standin:slow=60]", steps=100)))
    server.signal(signal.SIGTERM)
    assert server.exit_code(2) == -signal.SIGTERM


def test_sigterm_has_no_handler_so_that_pid_1_ignores_it(standin: Callable[..., Standin]) -> None:
    server = standin()
    assert signal.SIGTERM not in _signals(server, "SigCgt") | _signals(server, "SigIgn")


def test_sigint_ends_it_cleanly(standin: Callable[..., Standin]) -> None:
    server = standin()
    server.wait_until_running(server.queue(graphs.text_to_image("[standin:slow=60]", steps=100)))
    with server.events():
        server.signal(signal.SIGINT)
        assert server.exit_code(2) == 0
    assert "Traceback" not in server.log.read_text()


def test_sigterm_can_be_ignored(standin: Callable[..., Standin]) -> None:
    server = standin("--standin-ignore-sigterm")
    server.signal(signal.SIGTERM)
    assert server.answers()
    server.signal(signal.SIGINT)
    assert server.exit_code(2) == 0


def test_a_restart_forgets_jobs_and_keeps_files(standin: Callable[..., Standin]) -> None:
    server = standin()
    graph = graphs.trivial("kept/k")
    graph["4"] = graphs.node("PreviewImage", images=["2", 0])
    prompt_id = server.queue(graph)
    outputs = server.ended(prompt_id)["outputs"]
    server.upload("kept.png", b"bytes")
    server.queue(graphs.text_to_image("[standin:slow=60]", steps=100))
    server.signal(signal.SIGKILL)
    server.exit_code()

    again = standin()
    assert again.history(prompt_id) == {}
    assert again.get("/queue").json() == {"queue_running": [], "queue_pending": []}
    assert again.view(outputs["3"]["images"][0]).status_code == 200
    assert again.view({"filename": "kept.png", "type": "input"}).status_code == 200
    assert again.view(outputs["4"]["images"][0]).status_code == 404
    answer = again.post("/prompt", json={"prompt": graphs.trivial("kept/k")}).json()
    assert answer["number"] == 0


def test_the_port_opens_after_the_start_time(standin: Callable[..., Standin]) -> None:
    started = time.monotonic()
    server = standin(env={"COMFYUI_STANDIN_START_SECONDS": "0.7"})
    assert server.answers()
    assert time.monotonic() - started > 0.7


def _refused(*flags: str) -> str:
    command = [sys.executable, "-m", "genpool_dev.comfyui", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    return done.stderr


def test_an_unknown_flag_is_refused_in_a_sentence() -> None:
    assert "not started: unrecognized arguments: --turbo" in _refused("--turbo")


def test_a_taken_port_is_refused_in_a_sentence(standin: Callable[..., Standin], tmp_path: Path) -> None:
    port = standin().url.rsplit(":", 1)[1]
    said = _refused("--port", port, "--base-directory", str(tmp_path / "other"))
    assert f"cannot listen on 127.0.0.1:{port}" in said
