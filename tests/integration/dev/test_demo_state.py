"""What a demo remembers on disk, and whether the one before still runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genpool_dev.demo import state
from genpool_dev.demo.state import DemoState


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("GENPOOL_DEV_NETNS", raising=False)


@pytest.fixture
def other() -> Iterator[DemoState]:
    """A demo that another process runs."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        began = state.start_time(process.pid)
        assert began is not None
        yield DemoState(pid=process.pid, started=began, cluster_was_up=True)
        process.terminate()


def test_what_was_saved_is_read_again(other: DemoState) -> None:
    assert state.load() is None
    state.save(other)
    assert state.load() == other


def test_half_a_file_is_no_state(other: DemoState) -> None:
    state.save(other)
    file = state.folder() / "state.json"
    file.write_text(file.read_text()[:20])
    assert state.load() is None


def test_a_demo_runs_as_long_as_its_process(other: DemoState) -> None:
    assert other.running()
    assert not other.model_copy(update={"started": other.started - 5}).running()
    assert not other.model_copy(update={"pid": 2**22 + 1}).running()


def test_a_second_local_cluster_has_a_demo_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = state.folder()
    monkeypatch.setenv("GENPOOL_DEV_NETNS", "other")
    assert state.folder() != first
