"""A rig for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.broker import Vhost
from integration.bucket import Bucket
from integration.worker.rig import Rig, make_rig


@pytest.fixture
def rig(rabbitmq: Vhost, bucket: Bucket, tmp_path: Path) -> Iterator[Rig]:
    """A pool; its processes end with the test. Their logs are shown when it fails."""
    made = make_rig(rabbitmq, bucket, tmp_path)
    try:
        yield made
    finally:
        made.stop()
        for process in made.processes:
            print(f"--- {process.log.name}\n{process.text()[-6000:]}")  # noqa: T201 - pytest shows it on failure
