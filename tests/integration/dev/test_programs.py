"""Programs of tests are forked from one that has imported them: what a test can see is as with a process of its own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from support import programs

MODULE = """
import os, sys, threading
if __name__ == "__main__":
    print(os.environ.get("WORD"), sys.argv[1:], os.getcwd(), flush=True)
    if "wait" in sys.argv:
        threading.Event().wait()
    sys.exit(7 + len(sys.warnoptions))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / f"{tmp_path.name}.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path.name


def test_each_has_its_own_words_and_its_own_end(tmp_path: Path, module: str) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        waits = programs.start(module, ["wait"], environment={}, output=output)
        ends = programs.start(module, ["a", "b"], environment={"WORD": "x"}, output=output, folder=tmp_path)
    assert ends.wait(20) == 7
    assert (ends.poll(), ends.returncode) == (7, 7)
    assert f"x ['a', 'b'] {tmp_path}" in log.read_text()
    assert waits.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waits.wait(0.01)
    waits.kill()
    assert waits.wait(20) == -signal.SIGKILL
    waits.send_signal(signal.SIGTERM)


def test_an_option_of_python_holds(tmp_path: Path, module: str) -> None:
    with (tmp_path / "log").open("wb") as output:
        assert programs.start(module, environment={}, output=output, options=("-W", "error")).wait(20) == 8
