"""The process says in a sentence why it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from genpool_operator.handlers.watch import PatientBackoffs, watch_settings

BROKERS = """
brokers:
  - {name: default, host: rabbitmq.example, managementUrl: 'http://rabbitmq.example:15672', credentialsPath: /x}
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "brokers.yaml").write_text(BROKERS)
    monkeypatch.setenv("GENPOOL_BROKERS_FILE", str(tmp_path / "brokers.yaml"))
    monkeypatch.setenv("GENPOOL_WORKER_IMAGE", "worker:1")
    monkeypatch.setenv("GENPOOL_RELEASE_NAMESPACE", "sys")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))


def refusal() -> str:
    """What the process says before it ends. Not called in this process: it sets up logging for all that follows."""
    command = [sys.executable, "-m", "genpool_operator.app"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
    )
    assert done.returncode == 2
    return done.stderr


def test_a_missing_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENPOOL_WORKER_IMAGE")
    assert "environment variable GENPOOL_WORKER_IMAGE: Field required. Set it and start again." in refusal()


def test_no_brokers_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENPOOL_BROKERS_FILE", "/nowhere/brokers.yaml")
    assert "the brokers file /nowhere/brokers.yaml cannot be read" in refusal()


def test_no_way_to_log_in() -> None:
    said = refusal()
    assert "no way to log in to Kubernetes" in said
    assert "Traceback" not in said


def test_the_watches_never_give_up_and_leave_no_marks() -> None:
    settings = watch_settings("a=b")
    assert list(islice(PatientBackoffs(), 9)) == [1, 1, 2, 3, 5, 8, 13, 20, 20]
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.watching.inactivity_timeout < 300
