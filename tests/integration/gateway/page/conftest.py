from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from genpool_core.topology.desired import vhost_topology
from genpool_dev import browser as chromium
from integration.broker import Server, Vhost
from integration.bucket import Bucket
from integration.gateway.conftest import GatewayProcess, key_of
from integration.gateway.page.world import World, started

#: Two cores are shared with everything else that runs.
_PATIENCE_MS = 20_000


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest,
    rabbitmq_server: Server,
    bucket: Bucket,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """One gateway for a file of tests; the file's ``before``, if any, fills its task store first."""
    vhost = Vhost(rabbitmq_server, f"test-{uuid.uuid4().hex[:12]}")
    vhost.create()
    vhost.apply(vhost_topology(vhost.version))
    folder: Path = tmp_path_factory.mktemp("gateway")
    process = GatewayProcess(vhost, folder, key_of(vhost))
    try:
        yield started(process, vhost, bucket, getattr(request.module, "before", None))
    finally:
        process.kill()
        vhost.delete()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; ended with its file, since Playwright leaves no event loop to other tests meanwhile."""
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium.executable(), args=chromium.arguments())
        yield made
        made.close()
