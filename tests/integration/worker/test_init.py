"""The init of ComfyUI's container, with the command of the pods: what ends a stand-in, and what its end looks like."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from genpool_core.api.pods import ComfyUISpec, ProbeSpec
from genpool_operator.decide.manifests.init import started
from genpool_worker.container_init import install
from integration.broker import until
from integration.worker.rig import Process, answers
from support.ports import free_port

SECONDS = 5


def standin(port: int, folder: Path) -> list[str]:
    words = ["--port", str(port), "--base-directory", str(folder)]
    return [sys.executable, "-m", "genpool_dev.comfyui", *words]


@pytest.fixture
def comfyui(tmp_path: Path) -> Iterator[Process]:
    """A stand-in that ignores SIGTERM, under the init as the operator's manifest has it."""
    install(tmp_path)
    port = free_port()
    own = standin(port, tmp_path)
    spec = ComfyUISpec(image="example/comfyui:1", command=[*own, "--standin-ignore-sigterm"])
    _, *words = started(spec)["command"]  # type: ignore[misc]
    log = tmp_path / "log"
    with log.open("wb") as file:
        popen = subprocess.Popen([str(tmp_path / "dumb-init"), *map(str, words)], stdout=file, stderr=file)
    process = Process(popen, log, port)
    until(lambda: answers(process, "/prompt"), "the stand-in answers", 30)
    yield process
    process.end()


def command(comfyui: Process, what: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.post(f"http://127.0.0.1:{comfyui.port}/standin/command", json={"command": what}, timeout=10)


def silent(comfyui: Process) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            session.get(f"http://127.0.0.1:{comfyui.port}/prompt", timeout=0.5)
        except requests.Timeout:
            return True
        return False


def test_sigterm_ends_a_comfyui_that_ignores_it(comfyui: Process) -> None:
    comfyui.signal(signal.SIGTERM)
    assert comfyui.wait(SECONDS) == 128 + signal.SIGKILL


def test_sigterm_ends_a_comfyui_that_hangs(comfyui: Process) -> None:
    command(comfyui, "hang")
    until(lambda: silent(comfyui), "the stand-in to hang", 10)
    comfyui.signal(signal.SIGTERM)
    assert comfyui.wait(SECONDS) == 128 + signal.SIGKILL


def test_a_crash_keeps_its_exit_code(comfyui: Process) -> None:
    command(comfyui, "crash")
    assert comfyui.wait(SECONDS) == 139


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a process namespace")
@pytest.mark.parametrize("shell", [False, True], ids=["comfyui-is-first", "a-script-is-first"])
def test_an_image_that_starts_by_itself_is_ended_by_the_hook(tmp_path: Path, *, shell: bool) -> None:
    """As the first process of a namespace, where SIGTERM does nothing."""
    port = free_port()
    own = standin(port, tmp_path)
    first = ["sh", "-c", f"{' '.join(own)}; exit 7"] if shell else own
    log = tmp_path / "log"
    with log.open("wb") as file:
        popen = subprocess.Popen(
            ["unshare", "--fork", "--pid", "--kill-child", "--", *first], stdout=file, stderr=file
        )
    process = Process(popen, log, port)
    try:
        until(lambda: answers(process, "/prompt"), "the stand-in answers", 30)
        (inside,) = Path(f"/proc/{popen.pid}/task/{popen.pid}/children").read_text().split()
        os.kill(int(inside), signal.SIGTERM)
        assert answers(process, "/prompt"), "SIGTERM should do nothing here"
        hook: Any = started(
            ComfyUISpec(image="example/comfyui:1", command=[], probe=ProbeSpec(python=sys.executable))
        )
        words = hook["lifecycle"]["preStop"]["exec"]["command"]
        subprocess.run(["nsenter", "--pid", "--target", inside, "--", *words], check=False, timeout=20)
        process.wait(SECONDS)
    finally:
        process.end()
