"""A rig for each test. ``GENPOOL_TEST_S3_URL`` (with key and secret in it) points to another object store."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from integration.broker import Vhost
from integration.worker.rig import Bucket, Rig, make_rig


def _from_environment() -> Bucket | None:
    url = os.environ.get("GENPOOL_TEST_S3_URL")
    if not url:
        return None
    parts = urlsplit(url)
    endpoint = f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"
    return Bucket(endpoint, parts.username or "", parts.password or "", f"test-{uuid.uuid4().hex[:12]}")


def _from_cluster() -> Bucket:
    from genpool_dev.cluster import api  # noqa: PLC0415 - only who needs the cluster starts it

    info = api.ensure_up().s3
    return Bucket(info.endpoint, info.access_key, info.secret_key, f"test-{uuid.uuid4().hex[:12]}")


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """A bucket of a real object store, gone after the tests."""
    made = _from_environment() or _from_cluster()
    client = made.client()
    client.create_bucket(Bucket=made.name)
    yield made
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=made.name):
        for item in page.get("Contents", []):
            client.delete_object(Bucket=made.name, Key=item["Key"])
    client.delete_bucket(Bucket=made.name)
    client.close()


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
