"""Drain, retry, status, settings, configuration, names of results, files."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes.worker_steps import FakeClock
from fakes.worker_world import CONFIG
from genpool_core.errors import BrokerError, InvalidManifest, SettingsError, StorageError
from genpool_core.workerconfig import CONFIG_KEY
from genpool_worker.adapters.metrics import WorkerMetrics
from genpool_worker.config import load_config
from genpool_worker.drain import Drain, margin_seconds
from genpool_worker.errors import HandBack
from genpool_worker.files.outputs import unique_name
from genpool_worker.files.workdir import WorkDir, clean_leftovers, scratch_trouble
from genpool_worker.ports import OutputRef
from genpool_worker.retry import OutageRetry
from genpool_worker.settings import WorkerSettings
from genpool_worker.status import WorkerStatus
from support.secret_volume import write_secret

REPOSITORY = Path(__file__).resolve().parents[3]


def test_a_drain_has_a_deadline() -> None:
    clock = FakeClock()
    drain = Drain(clock, 600)
    assert (drain.active, drain.overdue) == (False, False)
    drain.begin()
    clock.time += 100
    drain.begin()
    assert drain.remaining == 470
    clock.time += 470
    assert drain.overdue


@pytest.mark.parametrize(("grace", "margin"), [(600, 30), (200, 20), (30, 15), (86_400, 30)])
def test_margin(grace: int, margin: float) -> None:
    assert margin_seconds(grace) == margin


def test_an_outage_is_waited_for_longer_and_longer() -> None:
    clock = FakeClock()
    errors = iter([StorageError("a"), BrokerError("b"), StorageError("c")])
    waits: list[float] = []

    def action() -> str:
        waits.append(clock.time)
        for error in errors:
            raise error
        return "done"

    assert OutageRetry(Drain(clock, 600), clock).until_stored(action) == "done"
    assert [later - earlier for earlier, later in pairwise(waits)] == [0.5, 1, 2]


def test_waiting_for_an_outage_ends_with_a_drain() -> None:
    clock = FakeClock()
    drain = Drain(clock, 60)
    drain.begin()

    def away() -> None:
        raise StorageError("away")

    with pytest.raises(HandBack, match="the store"):
        OutageRetry(drain, clock).until_stored(away)
    assert drain.overdue


def test_status() -> None:
    clock = FakeClock()
    status = WorkerStatus(clock, WorkerMetrics())
    assert not status.was_ready
    status.set("unready")
    assert not status.was_ready
    status.set("busy", "key")
    assert status.was_ready
    clock.time += 5
    status.drain()
    assert (status.snapshot.state, status.snapshot.task_key) == ("draining", "key")
    status.set("idle")
    assert (status.snapshot.state, status.snapshot.task_key) == ("draining", None)
    assert status.changed.is_set()


@pytest.mark.parametrize(
    ("filename", "taken", "expected"),
    [
        ("9_00001_.png", set(), "9_00001_.png"),
        ("a.png", {"a.png"}, "a-2.png"),
        ("a.png", {"a.png", "a-2.png"}, "a-3.png"),
        ("a", {"a"}, "a-2"),
        ("../../etc/passwd", set(), "etc_passwd"),
        ("日落 1.png", set(), "日落_1.png"),
        ("...", set(), "file"),
    ],
)
def test_names_of_results(filename: str, taken: set[str], expected: str) -> None:
    assert unique_name(filename, taken) == expected


def test_only_files_below_the_shared_folders_are_removed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "output").mkdir(parents=True)
    outside = tmp_path / "precious"
    outside.write_text("x")
    refs = [
        OutputRef("1", "images", "precious", "../..", "output"),
        OutputRef("1", "images", "x", "", "input"),
    ]
    WorkDir(scratch, "label").clean(refs)
    clean_leftovers(scratch)
    assert outside.exists()


def test_the_output_folder_is_emptied(tmp_path: Path) -> None:
    """Also of what was saved at a path of its own; links are not followed."""
    output, outside = tmp_path / "scratch" / "output", tmp_path / "outside"
    (output / "deep" / "er").mkdir(parents=True)
    (output / "deep" / "er" / "latest.png").write_text("of another task")
    (output / "late.png").write_text("of a run that was given up")
    outside.mkdir()
    (outside / "kept").write_text("x")
    (output / "link").symlink_to(outside)
    (output / "deep" / "link").symlink_to(outside)
    WorkDir(tmp_path / "scratch", "label").empty_output()
    (output / ".note").touch()
    WorkDir(tmp_path / "scratch", "label").empty_output()
    assert [path.name for path in output.iterdir()] == [".note"]
    assert (outside / "kept").exists()


def environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    usual = {"POD_NAME": "p", "BROKER_HOST": "h", "BROKER_USERNAME": "u", "BROKER_PASSWORD": "secret"}
    for name, value in {**usual, **values}.items():
        monkeypatch.setenv(f"GENPOOL_{name}", value)


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    settings = WorkerSettings.load()
    assert settings.comfyui_url == "http://127.0.0.1:8188"
    assert "secret" not in repr(settings)


def test_files_win_over_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment(monkeypatch)
    assert WorkerSettings.load().broker_login() == ("u", "secret")
    environment(monkeypatch, BROKER_CREDENTIALS_DIR=str(tmp_path))
    settings = WorkerSettings.load()
    with pytest.raises(SettingsError, match=r"the workers' RabbitMQ user: .*username cannot be read"):
        settings.broker_login()
    write_secret(tmp_path, username="v", password="rotated")
    assert settings.broker_login() == ("v", "rotated")


def test_a_login_by_half_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    monkeypatch.delenv("GENPOOL_BROKER_PASSWORD")
    with pytest.raises(
        SettingsError, match="set GENPOOL_BROKER_CREDENTIALS_DIR, or GENPOOL_BROKER_USERNAME and"
    ):
        WorkerSettings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("POD_NAME", ""), ("BROKER_PORT", "x"), ("COMFYUI_URL", "ftp://x"), ("LOG_FORMAT", "xml")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment(monkeypatch, **{name: value})
    with pytest.raises(SettingsError, match=f"GENPOOL_{name}"):
        WorkerSettings.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ConfigMap of a pool that serves the shipped text workflow."""
    entry = CONFIG.workflows[0].model_copy(update={"template_key": "t.json", "parameters_key": "p.yaml"})
    config = CONFIG.model_copy(update={"workflows": [entry]})
    (tmp_path / CONFIG_KEY).write_text(config.model_dump_json())
    source = REPOSITORY / "workflows" / "text-to-image"
    (tmp_path / "t.json").write_bytes((source / "template.json").read_bytes())
    (tmp_path / "p.yaml").write_bytes((source / "workflow.yaml").read_bytes())
    return tmp_path


def test_configuration(folder: Path) -> None:
    config, catalog = load_config(folder)
    assert config.queue == "tasks"
    assert catalog.names == "text-to-image"
    assert catalog.find("t2i") is catalog.fallback
    assert catalog.longest_run_seconds == 600


def _unlink(folder: Path) -> None:
    (folder / "t.json").unlink()


def _no_workflow(folder: Path) -> None:
    data = json.loads((folder / CONFIG_KEY).read_text())
    (folder / CONFIG_KEY).write_text(json.dumps({**data, "workflows": []}))


def _no_queue(folder: Path) -> None:
    data = json.loads((folder / CONFIG_KEY).read_text())
    del data["queue"]
    (folder / CONFIG_KEY).write_text(json.dumps(data))


def _editor_format(folder: Path) -> None:
    (folder / "t.json").write_text('{"nodes": [], "links": []}')


def _no_yaml(folder: Path) -> None:
    (folder / "p.yaml").write_text("a: [")


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (_unlink, "cannot be read"),
        (_no_workflow, "no workflow"),
        (_no_queue, "queue"),
        (_editor_format, "Export"),
        (_no_yaml, "text-to-image"),
    ],
)
def test_a_wrong_configuration(folder: Path, damage: Callable[[Path], None], part: str) -> None:
    damage(folder)
    with pytest.raises((SettingsError, InvalidManifest), match=part):
        load_config(folder)


def test_a_scratch_volume_that_can_be_used(tmp_path: Path) -> None:
    assert scratch_trouble(tmp_path) is None
    assert not list(tmp_path.glob("**/.probe"))


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "ScratchFull"), (errno.EROFS, "VolumeFailed"), (errno.EIO, "VolumeFailed")],
)
def test_a_scratch_volume_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def write(_path: Path, _data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", write)
    found = scratch_trouble(tmp_path)
    assert found is not None
    assert found[0] == reason
    assert os.strerror(number) in found[1]


def test_a_scratch_volume_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    nearly = SimpleNamespace(f_bavail=3 * (1 << 20) // real.f_frsize, f_frsize=real.f_frsize)
    monkeypatch.setattr(os, "statvfs", lambda _path: nearly)
    found = scratch_trouble(tmp_path)
    assert found is not None
    assert found[0] == "ScratchFull"
    assert "has 3 MiB left, and a task needs 16" in found[1]
