"""A real RabbitMQ and a real object store for the tests.

They are the local cluster's, which is started when it is not up. ``GENPOOL_TEST_AMQP_URL`` and
``GENPOOL_TEST_MANAGEMENT_URL`` point to another broker (an administrator's user and password are in both),
``GENPOOL_TEST_S3_URL`` (with key and secret in it) to another object store.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from integration.broker import Server, Vhost
from integration.bucket import Bucket

#: Of each log of a failed test.
_LOG_LINES = 80


def _from_environment() -> Server | None:
    amqp, management = (os.environ.get(f"GENPOOL_TEST_{name}_URL") for name in ("AMQP", "MANAGEMENT"))
    if not amqp or not management:
        return None
    broker, pages = urlsplit(amqp), urlsplit(management)
    return Server(
        host=broker.hostname or "127.0.0.1",
        port=broker.port or 5672,
        management_url=f"{pages.scheme}://{pages.hostname}:{pages.port or 15672}",
        username=broker.username or "guest",
        password=broker.password or "guest",
    )


def _from_cluster() -> Server:
    from genpool_dev.cluster import api  # noqa: PLC0415 - only who needs the cluster starts it

    info = api.ensure_up().rabbitmq
    return Server(info.host, info.port, info.management_url, info.username, info.password)


@pytest.fixture(scope="session")
def rabbitmq_server() -> Server:
    """The server; its vhosts are made by ``rabbitmq``."""
    return _from_environment() or _from_cluster()


@pytest.fixture
def default_queue_type() -> str | None:
    """Of the vhost's queues that are declared without a type; the server's where it is None."""
    return None


@pytest.fixture
def rabbitmq(rabbitmq_server: Server, default_queue_type: str | None) -> Iterator[Vhost]:
    """A vhost of a real RabbitMQ, gone after the test."""
    vhost = Vhost(rabbitmq_server, f"test-{uuid.uuid4().hex[:12]}")
    vhost.create(default_queue_type)
    try:
        yield vhost
    finally:
        vhost.delete()


def _store_from_environment() -> Bucket | None:
    url = os.environ.get("GENPOOL_TEST_S3_URL")
    if not url:
        return None
    parts = urlsplit(url)
    endpoint = f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"
    return Bucket(endpoint, parts.username or "", parts.password or "", f"test-{uuid.uuid4().hex[:12]}")


def _store_of_cluster() -> Bucket:
    from genpool_dev.cluster import api  # noqa: PLC0415 - only who needs the cluster starts it

    info = api.ensure_up().s3
    return Bucket(info.endpoint, info.access_key, info.secret_key, f"test-{uuid.uuid4().hex[:12]}")


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """A bucket of a real object store, gone after the tests."""
    made = _store_from_environment() or _store_of_cluster()
    client = made.client()
    client.create_bucket(Bucket=made.name)
    yield made
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=made.name):
        for item in page.get("Contents", []):
            client.delete_object(Bucket=made.name, Key=item["Key"])
    client.delete_bucket(Bucket=made.name)
    client.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the logs that a failed test's programs wrote into its folder."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and isinstance(folder, Path):
        for log in sorted(folder.rglob("*.log")):
            end = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
            report.sections.append((f"the end of {log.name}", "\n".join(end)))
    return report
