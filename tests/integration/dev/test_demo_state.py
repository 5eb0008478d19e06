"""What a demo remembers on disk, and whether the one before still runs."""

import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from genpool_dev.cluster.settings import ClusterRef, ProviderName
from genpool_dev.demo import state
from genpool_dev.demo.state import DemoState


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def ref(provider: ProviderName = "local", netns: str = "genpool") -> ClusterRef:
    return ClusterRef(
        provider=provider, netns=netns, subnet=IPv4Network("10.213.0.0/16"), state=Path("/nowhere")
    )


@pytest.fixture
def other() -> Iterator[DemoState]:
    """A demo that another process runs."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        began = state.start_time(process.pid)
        assert began is not None
        yield DemoState(
            pid=process.pid, started=began, cluster=ref(), context="genpool-local", cluster_was_up=True
        )
        process.terminate()


def test_what_was_saved_is_read_again(other: DemoState) -> None:
    assert state.load(ref()) is None
    state.save(other)
    assert state.load(ref()) == other


def test_half_a_file_is_no_state(other: DemoState) -> None:
    state.save(other)
    file = state.folder(ref()) / "state.json"
    file.write_text(file.read_text()[:20])
    assert state.load(ref()) is None


def test_a_demo_runs_as_long_as_its_process(other: DemoState) -> None:
    assert other.running()
    assert not other.model_copy(update={"started": other.started - 5}).running()
    assert not other.model_copy(update={"pid": 2**22 + 1}).running()


def test_each_provider_and_each_local_cluster_has_a_demo_of_its_own(other: DemoState) -> None:
    refs = [ref(), ref(netns="other"), ref("kind"), ref("current")]
    assert len({state.folder(each) for each in refs}) == len(refs)
    state.save(other.model_copy(update={"cluster": ref("kind")}))
    assert state.left(refs) == ["kind"]
    assert state.load(ref()) is None
