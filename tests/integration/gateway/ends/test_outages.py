"""Database, broker or bucket is away: answers as documented meanwhile, and nothing is lost.

``GENPOOL_OUTAGE_SECONDS`` and ``GENPOOL_OUTAGES`` make it longer; ``make soak-outages`` sets them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from genpool_core import identity
from genpool_dev.postgresql import PostgresqlServer
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.conftest import GatewayProcess, Receiver
from integration.gateway.ends.outages import Callers, Outages
from integration.gateway.ends.pool import Pool, make_pool
from integration.gateway.senders import consume
from support.tcpproxy import TcpProxy

AWAY_SECONDS = float(os.environ.get("GENPOOL_OUTAGE_SECONDS", "2"))
#: Part and how it is away. The short run has what no other test has.
SHORT = "broker-silent,s3-cut,s3-silent"
CASES = [tuple(case.split("-")) for case in os.environ.get("GENPOOL_OUTAGES", SHORT).split(",")]
#: What a new task is refused with, while the part is away.
REFUSALS = {
    # It is not known whether a silent database has stored the task.
    "postgresql": {"TaskStoreUnavailable", "NotConfirmed", "GatewayOverloaded"},
    "broker": {"BrokerUnavailable", "NotConfirmed", "GatewayOverloaded"},
    "s3": set[str](),
}
_RECOVERY_SECONDS = 90
_SOON_SECONDS = 3
_PATIENCE_SECONDS = 150


@pytest.fixture
def outages(
    gateway_process: GatewayProcess,
    vhost: Vhost,
    bucket: Bucket,
    receiver: Receiver,
    tmp_path: Path,
    postgresql_server: PostgresqlServer,
    postgresql_database: str,
) -> Iterator[Outages]:
    """A gateway on PostgreSQL that reaches all three by proxies; the tests reach them themselves."""
    store = urlsplit(bucket.endpoint)
    proxies = {
        "postgresql": TcpProxy(postgresql_server.host, postgresql_server.port),
        "broker": TcpProxy(vhost.server.host, vhost.server.port),
        "s3": TcpProxy(store.hostname or "", store.port or 80),
    }
    behind = Bucket(f"http://{proxies['s3'].address}", bucket.access_key, bucket.secret_key, bucket.name)
    pool = make_pool(gateway_process, behind, receiver, tmp_path, "quorum")
    pool.bucket = bucket
    gateway_process.environment |= {
        "GENPOOL_REQUESTS_PER_SECOND": "0",
        "GENPOOL_DATABASE_URL": postgresql_server.url(postgresql_database, port=proxies["postgresql"].port),
    }
    gateway_process.broker = proxies["broker"]
    gateway_process.start()
    gateway_process.until_ready()
    # As Kubernetes asks: from now on it is the API alone that counts.
    assert gateway_process.get("/readyz/api").status_code == 200
    yield Outages(pool, proxies)
    pool.api.session.close()
    gateway_process.kill()
    for proxy in proxies.values():
        proxy.close()
    print(gateway_process.log[-6000:])  # noqa: T201 - pytest shows it on failure
    assert "Traceback" not in gateway_process.log


@pytest.mark.parametrize(("part", "how"), CASES)
def test_a_part_is_away(outages: Outages, part: str, how: str) -> None:
    pool = outages.pool
    process = pool.api.process
    known = pool.submit("known")
    cancelled = [pool.submit(f"cancelled {number}")["id"] for number in range(3)]
    done = pool.submit("done")
    pool.api.claimed(done)
    pool.api.until_status(done["id"], "running")
    erased = pool.submit("erased")
    pool.put_end(pool.api.ended(erased))
    pool.api.until_status(erased["id"], "succeeded")
    callers = Callers(pool)
    deletes: list[threading.Thread] = []
    with callers.calling():
        until(lambda: callers.accepts(5), "tasks are accepted before")
        with outages.away(part, how):
            began = time.monotonic()
            callers.mark()
            late = threading.Thread(target=_meanwhile, args=(pool, done, cancelled, part), daemon=True)
            late.start()
            if (part, how) == ("s3", "silent"):
                # Each waits for the bucket; nobody else waits for them.
                deletes = [threading.Thread(target=_delete, args=(pool, erased["id"])) for _ in range(50)]
                for delete in deletes:
                    delete.start()
            while time.monotonic() - began < AWAY_SECONDS:
                _look(pool, known["id"], part)
                threading.Event().wait(0.2)
            if part == "s3":
                assert set(callers.answers) == {"202"}
                if how == "cut":
                    assert _rebuild(process) == 1
                    answer = pool.api.call("DELETE", f"/v1/tasks/{erased['id']}")
                    assert (answer.status_code, answer.json()["reason"]) == (503, "StorageUnavailable")
                    assert "Retry-After" in answer.headers
            seen, slowest = dict(callers.answers), callers.slowest
        mended = time.monotonic()
        callers.mark()
        until(lambda: callers.accepts(5), f"tasks are accepted after: {process.log}", _RECOVERY_SECONDS)
        recovered = time.monotonic() - mended
        if part == "s3":
            assert max(slowest, callers.slowest) < _SOON_SECONDS
    assert set(seen) - {"202"} <= REFUSALS[part]
    late.join(_RECOVERY_SECONDS)
    assert not late.is_alive()
    until(lambda: process.get("/readyz").status_code == 200, "it is ready", _RECOVERY_SECONDS)
    _check_ends(pool, done["id"], cancelled)
    _check_queue(pool, callers, {known["id"], done["id"], erased["id"], *cancelled}, part)
    for delete in deletes:
        delete.join(_PATIENCE_SECONDS)
    assert pool.api.call("DELETE", f"/v1/tasks/{erased['id']}").status_code == 200
    if part == "s3":
        assert _rebuild(process) == 0
    print(  # noqa: T201 - the soak's report
        f"{part} {how} for {AWAY_SECONDS:.0f} s: answers meanwhile {seen}, slowest {slowest:.1f} s; "
        f"accepted again after {recovered:.1f} s; {len(callers.accepted)} tasks, each once"
    )


def _look(pool: Pool, known: str, part: str) -> None:
    """What those who ask are told meanwhile."""
    process = pool.api.process
    answer = pool.api.call("GET", f"/v1/tasks/{known}")
    assert part == "postgresql" or answer.elapsed.total_seconds() < _SOON_SECONDS
    if part == "postgresql":
        # A row that was read before the connection was lost may still be answered.
        assert answer.status_code in {200, 503}, answer.text
        if answer.status_code == 503:
            assert answer.json()["reason"] == "TaskStoreUnavailable"
            assert "Retry-After" in answer.headers
    else:
        assert (answer.status_code, answer.json()["status"]) == (200, "queued")
        assert pool.api.call("GET", "/v1/tasks?limit=2").status_code == 200
        upload = {"pool": "text", "name": "a.png", "content_type": "image/png", "size_bytes": 3}
        assert pool.api.call("POST", "/v1/uploads", upload).status_code == 201
    assert process.get("/healthz").status_code == 200
    assert process.get("/readyz/api").status_code == 200


def _meanwhile(pool: Pool, done: dict[str, object], cancelled: list[str], part: str) -> None:
    """A worker ends a task and asks for its callback, and a user cancels others, until they are told that it is so."""
    record = pool.api.ended(done)
    pool.put_end(record)
    pool.api.ask_callback(
        record.model_copy(update={"callback_url": pool.receiver.url("200")}), pool.receiver.allow
    )
    for task in cancelled:
        until(
            lambda task=task: _cancels(pool, task, part),
            f"{task} is being cancelled",
            _RECOVERY_SECONDS + AWAY_SECONDS,
        )  # type: ignore[misc]


def _delete(pool: Pool, task: str) -> None:
    """With a connection of its own; whatever comes of it."""
    headers = {"Authorization": f"Bearer {pool.api.key}"}
    requests.delete(f"{pool.api.url}/v1/tasks/{task}", headers=headers, timeout=_PATIENCE_SECONDS)


def _cancels(pool: Pool, task: str, part: str) -> bool:
    headers = {"Authorization": f"Bearer {pool.api.key}"}
    answer = requests.post(f"{pool.api.url}/v1/tasks/{task}/cancel", headers=headers, timeout=70)
    if answer.status_code == 503:
        assert answer.json()["reason"] in {*REFUSALS[part], "StorageUnavailable"}, answer.text
        assert "Retry-After" in answer.headers
        return False
    assert answer.status_code in {200, 202}, answer.text
    return True


def _check_ends(pool: Pool, done: str, cancelled: list[str]) -> None:
    """Each end once: one event, one callback, delivered under one id."""
    assert pool.api.until_status(done, "succeeded")["id"] == done
    for task in cancelled:
        end = pool.until_ended(task, _RECOVERY_SECONDS)
        assert (end.outcome, end.reason) == ("cancelled", "Cancelled")
        pool.api.until_status(task, "canceled")
    for task in (done, *cancelled):
        until(lambda task=task: pool.delivered(task), f"the callback of {task}", _RECOVERY_SECONDS)  # type: ignore[misc]
        assert {event.id for event in pool.ended(task)} == {identity.end_id(task, 1)}
        assert {each.id for each in pool.callbacks(task)} == {identity.end_id(task, 1)}


def _check_queue(pool: Pool, callers: Callers, others: set[str], part: str) -> None:
    """What was accepted is in the queue, under one id for each key, and nothing else is."""
    waiting = {"queued", "canceled"}
    until(
        lambda: all(pool.api.task(task)["status"] in waiting for task in callers.accepted.values()),
        "all are queued",
        _RECOVERY_SECONDS,
    )
    queued = consume(pool.vhost, callers.accepted.values())
    if part != "postgresql":
        # The id of a task that a silent database has not stored is of no task.
        assert {name: ids for name, ids in callers.named.items() if len(ids) > 1} == {}
    assert set(callers.accepted.values()) <= set(queued)
    assert set(queued) <= {*callers.accepted.values(), *others}


def _rebuild(process: GatewayProcess) -> int:
    """The exit status of the program that reads the ledgers back."""
    environment = {
        **os.environ,
        "GENPOOL_BROKERS_FILE": str(process.folder / "brokers.yaml"),
        "GENPOOL_GATEWAY_SECRET_DIR": str(process.folder),
        **process.environment,
    }
    command = [sys.executable, "-m", "genpool_gateway.rebuild"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode
