"""``make demo-down`` and ``make cluster-down`` as a person types them, with a docker and a kind of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from genpool_dev.cluster.settings import ClusterRef, ProviderName
from genpool_dev.demo import state
from genpool_dev.demo.state import DemoState

#: There is a node as long as there is the file.
DOCKER = """#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
  "container ls") [ -e "$here/node" ] && echo 1234 ;;
  "container inspect") cat "$here/node.json" ;;
esac
exit 0
"""
KIND = """#!/bin/sh
here=$(dirname "$0")
echo "$1 $2 $4" >> "$here/asked"
rm -f "$here/node"
"""
NODE = """[{"State": {"Status": "running"}, "HostConfig": {"PortBindings": {
  "30672/tcp": [{"HostPort": "27672"}], "31672/tcp": [{"HostPort": "27673"}],
  "30900/tcp": [{"HostPort": "27900"}]}}}]"""


@dataclass
class Person:
    """Somebody at a terminal."""

    bin: Path
    states: Path

    def types(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        hidden = ("PROVIDER", "GENPOOL_DEV_STATE")
        env = {name: value for name, value in os.environ.items() if name not in hidden}
        env |= {
            "PATH": f"{self.bin}:{env['PATH']}",
            "XDG_STATE_HOME": str(self.states),
            "XDG_CACHE_HOME": str(self.states / "cache"),
            # None of this machine's own.
            "GENPOOL_DEV_NETNS": "nowhere",
            **variables,
        }
        words = [sys.executable, "-m", "genpool_dev", command]
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=60)

    def ref(self, provider: ProviderName) -> ClusterRef:
        place = self.states / f"genpool-dev-{provider}"
        return ClusterRef(
            provider=provider, netns="nowhere", subnet=IPv4Network("10.213.0.0/16"), state=place
        )

    def left_a_demo(self, provider: ProviderName, context: str) -> None:
        """One that was killed, on a cluster that it made."""
        ref = self.ref(provider)
        state.save(DemoState(pid=2**22 + 1, started=1, cluster=ref, context=context, cluster_was_up=False))
        ref.state.mkdir()
        (ref.state / "kubeconfig").write_text("{}")

    def asked(self) -> list[str]:
        path = self.bin / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    binaries, states = tmp_path / "bin", tmp_path / "states"
    binaries.mkdir()
    states.mkdir()
    for name, script in (("docker", DOCKER), ("kind", KIND)):
        (binaries / name).write_text(script)
        (binaries / name).chmod(0o755)
    (binaries / "node").touch()
    (binaries / "node.json").write_text(NODE)
    monkeypatch.setenv("XDG_STATE_HOME", str(states))
    return Person(binaries, states)


@pytest.mark.parametrize("command", ["demo-down", "cluster-down"])
def test_what_there_is_goes_without_a_word_about_its_provider(person: Person, command: str) -> None:
    person.left_a_demo("kind", "kind-genpool")
    done = person.types(command)
    assert done.returncode == 0, done.stderr
    assert person.asked() == ["delete cluster genpool"]
    assert list(person.states.glob("genpool-d*")) == []


@pytest.mark.parametrize("command", ["demo-down", "cluster-down"])
def test_where_there_are_two_nothing_is_guessed(person: Person, command: str) -> None:
    person.left_a_demo("kind", "kind-genpool")
    person.left_a_demo("current", "yours")
    done = person.types(command)
    assert done.returncode == 1
    assert f"`make {command} PROVIDER=kind`" in done.stderr
    assert person.asked() == []
    done = person.types(command, PROVIDER="kind")
    assert done.returncode == 0, done.stderr
    assert person.asked() == ["delete cluster genpool"]
    assert state.load(person.ref("current")) is not None
    assert person.ref("current").state.exists()


def test_a_demo_that_runs_is_left_alone(person: Person) -> None:
    person.left_a_demo("kind", "kind-genpool")
    old = state.load(person.ref("kind"))
    began = state.start_time(os.getpid())
    assert old is not None
    assert began is not None
    state.save(old.model_copy(update={"pid": os.getpid(), "started": began}))
    for command in ("demo-down", "cluster-down"):
        done = person.types(command)
        assert done.returncode == 1
        assert f"process {os.getpid()}" in done.stderr
    assert person.asked() == []
