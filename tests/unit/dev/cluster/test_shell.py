"""Programs that are run: their words where they fail, and their end when somebody wants them to end."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genpool_dev.cluster import shell
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node import process
from support.waiting import wait_until

#: Says that it runs, then waits for longer than any test.
SLEEPER = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"


def test_standard_output_and_input() -> None:
    assert shell.run(["cat"], stdin="größer") == "größer"


def test_what_a_program_said_when_it_failed() -> None:
    with pytest.raises(ClusterError) as caught:
        shell.run(["sh", "-c", "echo no disk >&2; exit 3"])
    assert "failed with code 3:\nno disk" in caught.value.message


def test_a_program_that_is_missing() -> None:
    with pytest.raises(ClusterError, match="The program no-such-program is missing"):
        shell.run(["no-such-program"])


def test_a_program_that_takes_too_long_is_killed() -> None:
    with pytest.raises(ClusterError, match="did not end within 1 s"):
        shell.run(["sleep", "600"], timeout=1)


def test_what_a_killed_program_started_is_killed_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(ClusterError, match="did not end within"):
        shell.run(["sh", "-c", f"sleep 600 & echo $! > {pid}; wait"], timeout=1)
    started = int(pid.read_text())
    wait_until(lambda: process.identify(started), lambda found: found is None, "its end", seconds=10)


def test_programs_of_other_threads_can_be_ended(tmp_path: Path) -> None:
    begun = [tmp_path / "plain", tmp_path / "logged"]
    commands = [[sys.executable, "-c", SLEEPER, path] for path in begun]
    with ThreadPoolExecutor(2) as pool:
        plain = pool.submit(shell.run, commands[0])
        logged = pool.submit(shell.run_logged, commands[1], tmp_path / "log", what="Building")
        wait_until(lambda: [path.exists() for path in begun], all, "both to run", seconds=30)
        shell.end_running()
        with pytest.raises(ClusterError, match="failed with code -15"):
            plain.result(30)
        with pytest.raises(ClusterError, match="Building failed"):
            logged.result(30)
