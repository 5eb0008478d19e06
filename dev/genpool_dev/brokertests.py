"""``make test-brokers``: what depends on RabbitMQ's version, on a real server of each version that is supported."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from genpool_dev import objectstore, rabbitmq
from genpool_dev.cluster.settings import cache_home
from genpool_dev.objectstore import S3Server
from genpool_dev.progress import Steps
from genpool_dev.rabbitmq import RabbitMQServer

_ROOT = Path(__file__).resolve().parents[2]
_INTEGRATION = "tests/integration"
#: Passes over queues, dead letters, messages that are taken out, the intake, the topology. None needs a cluster.
_TESTS = (
    f"{_INTEGRATION}/adapters/test_queue_pass.py",
    f"{_INTEGRATION}/gateway/test_dead_letters.py",
    f"{_INTEGRATION}/gateway/ends",
    f"{_INTEGRATION}/gateway/test_intake.py",
    f"{_INTEGRATION}/gateway/test_full_queue.py",
    f"{_INTEGRATION}/operator/test_rabbit.py",
    f"{_INTEGRATION}/operator/test_gateway_topology.py",
)


def run(releases: Sequence[str], arguments: Sequence[str] = ()) -> int:
    """Run the tests on a server of each release; 0, or the last code of pytest that was not."""
    steps, code = Steps(), 0
    with objectstore.running(steps) as store:
        for release in releases:
            with rabbitmq.running(release, steps) as server:
                began, name = time.monotonic(), f"RabbitMQ {server.version}"
                found = _pytest(server, store, arguments)
            said = "ok" if found == 0 else "FAILED"
            print(f"test-brokers: {name}: {said} in {time.monotonic() - began:.0f} s", flush=True)
            code = found or code
    return code


def _pytest(server: RabbitMQServer, store: S3Server, arguments: Sequence[str]) -> int:
    environment = os.environ | {
        "GENPOOL_TEST_AMQP_URL": server.amqp_url,
        "GENPOOL_TEST_MANAGEMENT_URL": server.management_url,
        "GENPOOL_TEST_S3_URL": store.url,
        "GENPOOL_DEAD_LETTERS": "10000",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache_home() / "hypothesis"),
    }
    # Nothing of root's in the checkout of who called through sudo.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_TESTS, *arguments]
    return subprocess.run(command, cwd=_ROOT, env=environment, check=False).returncode
