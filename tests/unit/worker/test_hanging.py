"""What hangs beside a worker: a store that accepts and never answers, and an input's host."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from fakes.worker_steps import FakeClock
from fakes.worker_world import World
from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.s3 import S3Store
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.ledger.records import Claim
from genpool_core.workerconfig import S3Config
from genpool_worker.ledger.lease import HeldClaim, LeaseRenewal
from support.waiting import wait_until

ONE_TRY = timing.CLAIM_CONNECT_SECONDS + timing.CLAIM_READ_SECONDS
#: For a loaded machine.
SLACK = 1.0


@pytest.fixture
def silent_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A store behind a socket that the system accepts connections for, and nobody reads from."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield S3Store(S3Config(endpoint=f"http://127.0.0.1:{server.getsockname()[1]}", bucket="b"))


@pytest.fixture
def held(silent_store: S3Store) -> HeldClaim:
    clock = FakeClock()
    claim = Claim(
        task_key="k", run=1, attempt=1, nonce="n", worker="w", claimed_at=clock.now(), timeout_seconds=1
    )
    return HeldClaim(Ledger(silent_store, "", clock), claim, clock)


def test_a_release_has_one_short_try(held: HeldClaim) -> None:
    began = time.monotonic()
    with pytest.raises(StorageError, match="does not answer"):
        held.release()
    assert time.monotonic() - began < ONE_TRY + SLACK


def test_a_renewal_that_hangs_delays_a_release_by_no_more_than_the_margin(held: HeldClaim) -> None:
    with LeaseRenewal(held, seconds=0.001):
        wait_until(held._lock.locked, bool, "a renewal hangs", seconds=10, pause=0.001)
        began = time.monotonic()
    with pytest.raises(StorageError):
        held.release()
    # The renewal in hand, then the release.
    assert time.monotonic() - began < 2 * ONE_TRY + SLACK < timing.RELEASE_SECONDS


def test_an_input_whose_host_hangs_is_left_when_the_pod_must_go(world: World) -> None:
    node, gate = world.worker("w1"), threading.Event()

    def fetch(_url: str, _max_bytes: int) -> bytes:
        node.context.drain.begin()
        world.clock.time += world.config.grace_seconds
        gate.wait(60)
        return b""

    node.fetcher.fetch = fetch  # type: ignore[method-assign]
    world.send(
        {
            "task_id": "t",
            "image_url": "https://example.com/a.png",
            "workflow_type": "DDColor人物黑白修复.json",
        }
    )
    began = time.monotonic()
    world.one(node)
    gate.set()
    assert time.monotonic() - began < timing.DRAIN_TICK_SECONDS + SLACK
    (claim,) = world.store.records("/1.json").values()
    assert claim["released_at"] is not None
    assert [item.redelivered for item in world.broker.ready] == [True]
