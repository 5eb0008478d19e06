"""A forwarded port is opened again when its command has ended, and closed for good when it is told to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.providers import forwards
from support.waiting import wait_until

SERVER = """#!/usr/bin/env python3
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[-1].partition(":")[0]))) as server:
    while True:
        server.accept()[0].close()
"""


@pytest.fixture
def kube(tmp_path: Path) -> Kube:
    """A kubectl that only listens."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(SERVER)
    kubectl.chmod(0o755)
    return Kube(kubectl, kubectl, tmp_path / "kubeconfig", "yours")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    forwards.close_all(tmp_path)


def listener(keeper: int) -> psutil.Process | None:
    children = psutil.Process(keeper).children()
    return children[0] if children else None


def test_a_port_outlives_the_pod_that_it_leads_to(kube: Kube, state: Path) -> None:
    port = forwards.ensure(kube, state, "rabbitmq", 5672)
    forward = forwards._load(forwards.file_of(state, "rabbitmq", 5672))
    assert forward is not None
    assert forward.pid != os.getpid()
    first = listener(forward.pid)
    assert first is not None
    first.kill()

    def again() -> bool:
        assert first is not None
        second = listener(forward.pid)
        return second is not None and second.pid != first.pid and forwards.is_open(port)

    wait_until(again, bool, "the port to be open again", seconds=20)
    assert forwards.ensure(kube, state, "rabbitmq", 5672) == port


def test_with_the_way_goes_the_command(kube: Kube, state: Path) -> None:
    port = forwards.ensure(kube, state, "s3", 9000)
    assert forwards.status(state) == [("forward-s3-9000", "open")]
    forwards.close_all(state)
    assert not forwards.is_open(port)
    assert forwards.status(state) == []


def test_many_that_ask_at_once_get_one_port(kube: Kube, state: Path) -> None:
    """As tests that run side by side do; each used to end what another one had just started."""
    with ThreadPoolExecutor(8) as threads:
        ports = set(threads.map(lambda _: forwards.ensure(kube, state, "api", 80), range(16)))
    assert len(ports) == 1
    assert forwards.status(state) == [("forward-api-80", "open")]
