"""The plugin that runs tests side by side, seen from outside: a pytest run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
CONFTEST = """
import threading
import pytest
from support.together import Together

def pytest_configure(config):
    config.addinivalue_line("markers", "together: side by side")
    config.pluginmanager.register(Together(8))

@pytest.fixture(scope="session")
def lab():
    return threading.Barrier(3)

@pytest.fixture
def other():
    return 1
"""
MEETING = """
import pytest

@pytest.mark.together
@pytest.mark.parametrize("number", [1, 2, 3])
def test_meet(lab, number):
    lab.wait(timeout=20)
    assert number != 2, "the second one fails"

def test_after():
    pass
"""
GREEDY = """
import pytest

@pytest.mark.together
def test_greedy(lab, other):
    pass
"""


def _run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(program)
    options = ["--rootdir", str(folder), "--config-file", "/dev/null", "-o", f"pythonpath={TESTS}", "-v"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=60
    )


def test_they_run_at_the_same_time_and_are_reported_each(tmp_path: Path) -> None:
    done = _run(tmp_path, MEETING)
    assert "test_meet[1] PASSED" in done.stdout, done.stdout
    assert "test_meet[2] FAILED" in done.stdout
    assert "test_meet[3] PASSED" in done.stdout
    assert "the second one fails" in done.stdout
    assert "1 failed, 3 passed" in done.stdout
    assert "seconds of the tests that ran together" in done.stdout


def test_one_that_wants_another_fixture_is_refused(tmp_path: Path) -> None:
    done = _run(tmp_path, GREEDY)
    assert done.returncode == 4
    assert "is marked together and wants {'other'}: it gets lab only" in done.stdout + done.stderr
