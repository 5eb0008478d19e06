"""No peer holds a thread of ours by sending a byte now and then: every client ends its exchange in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from kubernetes.client import Configuration

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.management.api import UNREACHABLE, ManagementApi
from genpool_core.api.security import HostRule
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import AttemptFailed, BrokerError, ClusterError
from genpool_worker.adapters.fetch import GuardedFetcher
from support.dripping import WAYS, Dripping

SECONDS = 0.4
#: What would be held without a deadline is held for ever; a loaded machine needs some seconds.
PATIENT = 20.0


@pytest.mark.parametrize("way", WAYS)
def test_a_management_api(way: str, tmp_path: Path) -> None:
    (tmp_path / "username").write_text("admin")
    (tmp_path / "password").write_text("made-up")
    with Dripping(WAYS[way]) as server:
        broker = BrokerConfig(
            name="default", host="127.0.0.1", management_url=server.url, credentials_path=str(tmp_path)
        )
        api = ManagementApi(broker, seconds=SECONDS)
        began = time.monotonic()
        with pytest.raises(BrokerError, match="does not answer") as caught:
            api.get("overview")
        assert time.monotonic() - began < PATIENT
        api.close()
    assert caught.value.reason == UNREACHABLE


@pytest.mark.parametrize("way", WAYS)
def test_the_kubernetes_api(way: str) -> None:
    with Dripping(WAYS[way]) as server:
        configuration = Configuration()
        configuration.host = server.url
        api = KubeApi(configuration, "genpool-test", seconds=SECONDS)
        began = time.monotonic()
        with pytest.raises(ClusterError, match="does not answer") as caught:
            api.get("/api/v1/namespaces/team/pods/p")
        assert time.monotonic() - began < PATIENT
        api.close()
    assert (caught.value.status, caught.value.refusal) == (0, False)


@pytest.mark.parametrize("way", WAYS)
def test_the_host_of_an_input(way: str) -> None:
    with Dripping(WAYS[way]) as server:
        rule = HostRule(host="localhost", ports=[server.port], cidrs=["127.0.0.0/8"])
        began = time.monotonic()
        with pytest.raises(AttemptFailed) as caught:
            GuardedFetcher([rule], total_seconds=SECONDS).fetch(f"http://localhost:{server.port}/x", 1 << 20)
        assert time.monotonic() - began < PATIENT
    assert caught.value.retryable


def test_redirects_of_an_input_share_its_time() -> None:
    """Each hop answers within the time, all together do not."""
    hop = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: /next\r\nX-Slow: "
    with Dripping(hop, drip=b"x" * 4 + b"\r\n\r\n", pause=0.3, drips=1) as server:
        rule = HostRule(host="localhost", ports=[server.port], cidrs=["127.0.0.0/8"])
        with pytest.raises(AttemptFailed, match="did not answer in time"):
            GuardedFetcher([rule], total_seconds=0.75).fetch(f"http://localhost:{server.port}/x", 1 << 20)
