"""The process says in a sentence why it cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from genpool_adapters.signals import END_SIGNALS
from genpool_operator import app
from genpool_operator.handlers.watch import PatientBackoffs, watch_settings

if TYPE_CHECKING:
    from genpool_operator.factory import Operator

pytestmark = pytest.mark.usefixtures("handlers")
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


class Started:
    """An operator of which only the start and the end matter."""

    def __init__(self, on_start: Callable[[], None]) -> None:
        self.start = on_start
        self.ended = 0
        self.http = SimpleNamespace(port=0)
        self.registry = self.kopf_settings = None
        self.namespaces: tuple[str, ...] = ()

    def stop(self) -> None:
        self.ended += 1


def told_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Event]:
    """The flags that kopf was given: in its place is a task that waits for one, and handlers as kopf's own."""
    flags: list[asyncio.Event] = []

    async def spawn(*, stop_flag: asyncio.Event, **_: object) -> list[asyncio.Task[bool]]:
        flags.append(stop_flag)
        loop = asyncio.get_running_loop()
        once: asyncio.Future[None] = loop.create_future()
        for number in END_SIGNALS:
            loop.add_signal_handler(number, once.set_result, None)
        await asyncio.sleep(0)
        return [asyncio.create_task(stop_flag.wait())]

    monkeypatch.setattr(app.kopf, "spawn_tasks", spawn)
    return flags


def test_who_is_told_to_end_before_the_watches_begin_ends_in_order(spawned: list[asyncio.Event]) -> None:
    operator = Started(told_to_end)
    assert app.run(cast("Operator", operator)) == 0
    assert (operator.ended, spawned) == (1, [])


def test_who_is_told_to_end_as_the_watches_begin_ends_in_order(
    monkeypatch: pytest.MonkeyPatch, spawned: list[asyncio.Event]
) -> None:
    """In the middle of a step of kopf's: nothing of it is broken off."""
    spawn, whole = app.kopf.spawn_tasks, []

    async def told(*, stop_flag: asyncio.Event, **_: object) -> Collection[asyncio.Task[object]]:
        told_to_end()
        tasks = await spawn(stop_flag=stop_flag)
        whole.append(True)
        return tasks

    monkeypatch.setattr(app.kopf, "spawn_tasks", told)
    operator = Started(lambda: None)
    assert app.run(cast("Operator", operator)) == 0
    assert (operator.ended, whole, len(spawned)) == (1, [True], 1)


def test_a_second_signal_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, spawned: list[asyncio.Event], caplog: pytest.LogCaptureFixture
) -> None:
    run_tasks = app.kopf.run_tasks

    async def told_twice(tasks: Collection[asyncio.Task[object]], *, ignored: set[object]) -> None:
        for _ in range(2):
            told_to_end()
            await asyncio.sleep(0.01)
        await run_tasks(tasks, ignored=ignored)

    monkeypatch.setattr(app.kopf, "run_tasks", told_twice)
    operator = Started(lambda: None)
    assert app.run(cast("Operator", operator)) == 0
    assert (operator.ended, len(spawned), caplog.text) == (1, 1, "")
