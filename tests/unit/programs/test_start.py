"""How the programs start, and how each refuses: one line of the log in the chosen format, status 2, no traceback.

Processes of their own: a program sets up the logging of all that follows in its process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("operator", "worker", "gateway")
#: What each program needs before it looks at its files.
NEEDS = {
    "GENPOOL_WORKER_IMAGE": "worker:1",
    "GENPOOL_RELEASE_NAMESPACE": "sys",
    "GENPOOL_POD_NAME": "pod-1",
    "GENPOOL_BROKER_HOST": "rabbitmq.example",
    "GENPOOL_BROKER_USERNAME": "worker",
    "GENPOOL_BROKER_PASSWORD": "s3cr3t",
}
_SMALL = """
import sys
from genpool_adapters.program import run_program
from genpool_adapters.settings import ProgramSettings

def build(settings):
    {build}

sys.exit(run_program("small", ProgramSettings, build, lambda program: program))
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GENPOOL_")}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**kept, **environment},
    )


def refusal(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one line that was written."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return dict(json.loads(line))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_setting(program: str) -> None:
    line = refusal(run("-m", f"genpool_{program}.app", **NEEDS, GENPOOL_HTTP_PORT="s3cr3t"))
    assert (line["event"], line["component"]) == (f"{program}_refuses", program)
    assert (line["level"], line["reason"]) == ("error", "SettingsInvalid")
    assert line["message"] == (
        "environment variable GENPOOL_HTTP_PORT: Input should be a valid integer, unable to parse string as an "
        "integer. Set it and start again."
    )


@pytest.mark.parametrize(
    ("program", "variable", "reason", "said"),
    [
        ("operator", "GENPOOL_BROKERS_FILE", "InvalidBrokersFile", "the brokers file {path} cannot be read"),
        ("worker", "GENPOOL_CONFIG_DIR", "SettingsInvalid", "{path}/pool.json cannot be read"),
        (
            "gateway",
            "GENPOOL_GATEWAY_SECRET_DIR",
            "InvalidSigningKeys",
            "the keys that sign callbacks: {path}/signing-keys cannot be read",
        ),
    ],
)
def test_a_missing_file_told_to_a_person(
    tmp_path: Path, program: str, variable: str, reason: str, said: str
) -> None:
    path = tmp_path / "missing"
    environment = {**NEEDS, variable: str(path), "GENPOOL_LOG_FORMAT": "console"}
    done = run("-m", f"genpool_{program}.app", **environment)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"{program}_refuses" in line
    assert f"reason={reason}" in line
    assert said.format(path=path) in line


def test_what_the_system_refuses_is_no_traceback() -> None:
    line = refusal(run("-c", _SMALL.format(build="open('/nowhere/kubeconfig')")))
    assert line["event"] == "small_refuses"
    assert line["message"] == "[Errno 2] No such file or directory: '/nowhere/kubeconfig'."


def test_the_status_is_what_the_program_ends_with() -> None:
    assert run("-c", _SMALL.format(build="return 7")).returncode == 7


def test_a_defect_is_told_with_its_traceback() -> None:
    done = run("-c", _SMALL.format(build="return 1 / 0"))
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
