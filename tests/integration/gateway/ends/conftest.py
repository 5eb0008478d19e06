"""A gateway beside a real broker and a real bucket, in which no worker is up unless a test plays one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.broker import Vhost
from integration.bucket import Bucket
from integration.gateway.conftest import GatewayProcess, Receiver
from integration.gateway.ends.pool import Pool, make_pool


@pytest.fixture
def queue_type() -> str:
    """Of the work queue."""
    return "quorum"


@pytest.fixture
def default_queue_type(queue_type: str) -> str:
    """The work queue is declared without a type, as plain producers do."""
    return queue_type


@pytest.fixture
def pool(
    gateway_process: GatewayProcess,
    vhost: Vhost,
    bucket: Bucket,
    receiver: Receiver,
    tmp_path: Path,
    queue_type: str,
) -> Iterator[Pool]:
    """Its gateway is started."""
    assert vhost is gateway_process.vhost
    made = make_pool(gateway_process, bucket, receiver, tmp_path, queue_type)
    gateway_process.start()
    gateway_process.until_ready()
    yield made
    made.api.session.close()
    print(gateway_process.log[-6000:])  # noqa: T201 - pytest shows it on failure
