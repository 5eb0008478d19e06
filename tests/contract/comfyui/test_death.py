"""How it starts and dies, and what survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
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


def test_a_user_folder_that_cannot_be_made_ends_it(tmp_path: Path) -> None:
    (tmp_path / "user").write_text("no folder")
    assert "cannot use its folders" in _refused("--base-directory", str(tmp_path))


def test_a_user_folder_of_its_own_must_exist(standin: Callable[..., Standin], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert "does not exist" in _refused("--user-directory", str(folder), "--base-directory", str(tmp_path))
    folder.mkdir()
    standin("--user-directory", str(folder))
    assert list(folder.iterdir())
    assert not (tmp_path / "comfyui" / "user").exists()


_AS_NAMELESS = """
import os, sys
from genpool_dev.comfyui.folders import prepare_user
from pathlib import Path
os.setgroups([]); os.setgid(54321); os.setuid(54321)
try:
    prepare_user(Path(sys.argv[1]))
except KeyError:
    sys.exit(3)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("variables", "status"), [({}, 3), ({"USER": "c"}, 0), ({"LOGNAME": "c"}, 0)])
def test_a_user_without_a_name_needs_one(variables: dict[str, str], status: int) -> None:
    """As an image of root's under the pod's user."""
    with tempfile.TemporaryDirectory(prefix="genpool-nameless-") as folder:
        Path(folder).chmod(0o777)
        command = [sys.executable, "-c", _AS_NAMELESS, folder]
        unnamed = {
            name: value
            for name, value in os.environ.items()
            if name not in {"USER", "LOGNAME", "LNAME", "USERNAME"}
        }
        done = subprocess.run(command, env={**unnamed, **variables}, timeout=20, check=False)
        assert done.returncode == status
