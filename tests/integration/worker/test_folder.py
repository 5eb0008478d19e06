"""A worker of a pool with results in a folder of the machine."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.folder import FolderStore
from genpool_core.ledger.records import EndRecord
from genpool_core.workerconfig import FolderConfig
from genpool_worker.adapters.clock import SystemClock
from integration.broker import until
from integration.worker.rig import Rig
from integration.worker.test_tasks import text_task


@pytest.fixture
def root(rig: Rig, tmp_path: Path) -> Path:
    """The pool's folder."""
    made = tmp_path / "results"
    made.mkdir()
    rig.configure(s3=None, folder=FolderConfig(path=str(made)))
    return made


def ends(root: Path) -> list[EndRecord]:
    return list(Ledger(FolderStore(root), "", SystemClock()).ends())


def test_results_and_records_are_in_the_folder(rig: Rig, root: Path) -> None:
    rig.comfyui("--standin-step-seconds", "0.05")
    rig.worker()
    rig.send(text_task(steps=3, seed=7))
    (end,) = until(lambda: ends(root), "its end")
    assert end.outcome == "succeeded"
    (output,) = end.outputs
    assert output.bucket == str(root)
    assert (root / output.key).stat().st_size == output.bytes
    assert (root / output.key).read_bytes().startswith(b"\x89PNG")
    (callback,) = until(rig.callbacks, "its callback")
    assert [each.url for each in callback.body.outputs] == [None], "the gateway gives the links"


def test_a_killed_workers_task_is_done_once(rig: Rig, root: Path) -> None:
    rig.comfyui("--standin-step-seconds", "0.5")
    worker = rig.worker()
    rig.send(text_task(steps=6))
    until(lambda: [key for key in FolderStore(root).keys("tasks/") if "/attempts/" in key], "the claim")
    worker.signal(signal.SIGKILL)
    worker.wait()
    rig.worker()
    (end,) = until(lambda: ends(root), "its end", 120)
    assert (end.outcome, [each.outcome for each in end.attempts]) == ("succeeded", ["lost", "succeeded"])


def test_a_worker_waits_for_its_folder(rig: Rig, root: Path) -> None:
    away = root.rename(root.with_name("unmounted"))
    rig.comfyui("--standin-step-seconds", "0.05")
    worker = rig.worker(wait=False)
    until(lambda: "does not exist: make it, or mount the disk" in worker.text(), "it says so")
    rig.send(text_task(steps=3))
    away.rename(root)
    until(lambda: ends(root), "its end", 60)
