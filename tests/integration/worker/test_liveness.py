"""ComfyUI's liveness script, beside a stand-in: what it says, and that a mark counts for one life only."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from contract.comfyui import graphs
from contract.comfyui.process import Standin
from genpool_core.api.pods import ProbeSpec
from genpool_worker.adapters.restart_mark import RestartMarkFile
from integration.worker.kubelet import liveness

QUICK = ProbeSpec(period_seconds=1, timeout_seconds=1, failure_threshold=3)


@pytest.fixture
def comfyui(tmp_path: Path) -> Iterator[Standin]:
    server = Standin(tmp_path / "comfyui")
    yield server
    server.close()


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "restart"


def port(server: Standin) -> int:
    return int(server.url.rsplit(":", 1)[1])


def test_a_comfyui_that_answers(comfyui: Standin, mark: Path) -> None:
    assert liveness(port(comfyui), mark).returncode == 0
    mark.write_text("")
    assert liveness(port(comfyui), mark).returncode == 0


def test_a_mark_counts_as_long_as_its_prompt_is_in_the_queue(comfyui: Standin, mark: Path) -> None:
    running = comfyui.queue(graphs.text_to_image("[standin:block=3600]"))
    comfyui.wait_until_running(running)
    pending = comfyui.queue(graphs.trivial(graphs.fresh_prefix()))
    assert liveness(port(comfyui), mark).returncode == 0
    for prompt_id in (running, pending):
        RestartMarkFile(mark).write(prompt_id)
        started = time.monotonic()
        done = liveness(port(comfyui), mark)
        assert (done.returncode, done.stderr) == (
            1,
            "ComfyUI is wedged: it answers, and no prompt gets on\n",
        )
        assert time.monotonic() - started < 5, "it is not counted out"
    RestartMarkFile(mark).write("of an earlier life")
    assert liveness(port(comfyui), mark).returncode == 0


def test_after_the_restart_the_mark_does_not_count(comfyui: Standin, mark: Path, tmp_path: Path) -> None:
    prompt_id = comfyui.queue(graphs.text_to_image("[standin:exit]"))
    comfyui.wait_until_running(prompt_id)
    RestartMarkFile(mark).write(prompt_id)
    assert liveness(port(comfyui), mark).returncode == 1
    comfyui.signal(signal.SIGKILL)
    comfyui.exit_code()
    again = Standin(tmp_path / "comfyui")
    try:
        assert liveness(port(again), mark).returncode == 0
    finally:
        again.close()


def test_nobody_there_is_asked_so_often_as_the_pool_says(comfyui: Standin, mark: Path) -> None:
    where = port(comfyui)
    comfyui.close()
    started = time.monotonic()
    done = liveness(where, mark, QUICK)
    assert done.returncode == 1
    assert done.stderr.startswith("ComfyUI does not answer: ")
    assert "Traceback" not in done.stderr
    assert 2 <= time.monotonic() - started < 7


@pytest.mark.parametrize(("seconds", "code"), [(1.5, 0), (20, 1)])
def test_a_silence_is_borne_for_so_long(comfyui: Standin, mark: Path, seconds: float, code: int) -> None:
    comfyui.post("/standin/command", json={"command": f"hang={seconds}"})
    started = time.monotonic()
    assert liveness(port(comfyui), mark, QUICK).returncode == code
    assert time.monotonic() - started < 7


def test_a_mark_that_comes_while_it_waits_is_seen(comfyui: Standin, mark: Path) -> None:
    """At the next question, not at the next probe."""
    prompt_id = comfyui.queue(graphs.text_to_image("[standin:block=3600]"))
    comfyui.wait_until_running(prompt_id)
    comfyui.post("/standin/command", json={"command": "fail-stats"})
    writing = threading.Timer(1.5, RestartMarkFile(mark).write, (prompt_id,))
    writing.start()
    patient = ProbeSpec(period_seconds=1, timeout_seconds=1, failure_threshold=20)
    done = liveness(port(comfyui), mark, patient)
    writing.join()
    assert "wedged" in done.stderr


def test_a_lost_card_counts_as_silence(comfyui: Standin, mark: Path) -> None:
    comfyui.post("/standin/command", json={"command": "fail-stats"})
    done = liveness(port(comfyui), mark, QUICK)
    assert done.returncode == 1
    assert "500" in done.stderr
    assert requests.get(f"{comfyui.url}/queue", timeout=5).ok
