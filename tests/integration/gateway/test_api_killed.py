"""A gateway that is killed while it accepts, or that loses its broker or its database.

Every 202 is in the queue or done, and what was sent again under its key is one task, which runs once.
``GENPOOL_KILLED_TASKS`` and ``GENPOOL_KILLED_TIMES`` make it longer; ``make soak-gateway`` sets them.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genpool_dev.postgresql import PostgresqlServer
from genpool_gateway.store.opening import make_store
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.api import POOL, Api, prepare
from integration.gateway.conftest import GatewayProcess
from integration.gateway.senders import Senders, consume
from integration.worker.rig import Process, Rig, make_rig
from support.ports import free_port
from support.tcpproxy import TcpProxy

TASKS = int(os.environ.get("GENPOOL_KILLED_TASKS", "300"))
TIMES = int(os.environ.get("GENPOOL_KILLED_TIMES", "5"))
_AWAY_SECONDS = 2.0
_SEED = int(os.environ.get("GENPOOL_KILLED_SEED", "8"))


def _api(process: GatewayProcess, url: str | None = None, **spec: Any) -> Api:  # noqa: ANN401 - fields of the pool's spec
    """A gateway that comes back on the port that it had."""
    made = prepare(process, **spec)
    process.environment |= {"GENPOOL_REQUESTS_PER_SECOND": "0", "GENPOOL_API_PORT": str(free_port())}
    if url is not None:
        process.environment["GENPOOL_DATABASE_URL"] = url
    process.start()
    process.until_ready()
    return made


@pytest.fixture
def process(gateway_process: GatewayProcess, vhost: Vhost) -> Iterator[GatewayProcess]:
    assert vhost is gateway_process.vhost
    yield gateway_process
    assert "Traceback" not in gateway_process.log


def _count(url: str, condition: str) -> int:
    """Tasks in the store that fit a condition of SQL."""
    store = make_store(url)
    try:
        with store.database.reading() as connection:
            found = connection.exec_driver_sql(f"SELECT count(*) FROM tasks WHERE {condition}")  # noqa: S608 - this test's own words
            return int(found.scalar_one())
    finally:
        store.close()


def _check(senders: Senders, process: GatewayProcess) -> None:
    """What was accepted is in the queue, under one id each, and the store knows it."""
    url = process.environment["GENPOOL_DATABASE_URL"]
    until(lambda: _count(url, "state = 'accepting'") == 0, "all tasks are settled", 60)
    queued = consume(process.vhost)
    assert {name: ids for name, ids in senders.named.items() if len(ids) > 1} == {}
    assert set(queued) == set(senders.accepted.values())
    assert len(set(senders.accepted.values())) == senders.tasks


def _killed(process: GatewayProcess, senders: Senders, times: int) -> None:
    """Kill the gateway and start it again, so often, each time when some more tasks were accepted."""
    chance = random.Random(_SEED)  # noqa: S311 - moments alone
    moments = sorted(chance.sample(range(senders.threads, senders.tasks - senders.threads), times))
    with senders.sending():
        for moment in moments:
            senders.until_accepted(moment)
            process.kill()
            process.spawn()


@pytest.fixture
def rig(process: GatewayProcess, bucket: Bucket, tmp_path: Path) -> Iterator[Rig]:
    """Workers of the gateway's pool."""
    folder = tmp_path / "workers"
    folder.mkdir()
    made = make_rig(process.vhost, bucket, folder, POOL)
    yield made
    made.stop()


def _worker(rig: Rig, name: str) -> Process:
    """A worker, and the ComfyUI that is its own."""
    comfyui = rig.comfyui(scratch=name, port=free_port())
    rig.worker(name, GENPOOL_SCRATCH_DIR=str(rig.folder / name))
    return comfyui


@pytest.mark.long
def test_killed_while_it_accepts(process: GatewayProcess, rig: Rig) -> None:
    """Workers do the tasks meanwhile. ComfyUI's own log says how often it ran."""
    s3 = rig.config.s3.model_dump(mode="json", by_alias=True, exclude_none=True)
    storage = {"endpoint": s3["endpoint"], "bucket": s3["bucket"], "prefix": s3["prefix"]}
    api = _api(process, storage={"type": "S3", "s3": storage})
    comfyuis = [_worker(rig, f"worker-{number}") for number in range(2)]
    senders = Senders([api.url], api.key, TASKS)
    _killed(process, senders, TIMES)
    url = process.environment["GENPOOL_DATABASE_URL"]
    until(lambda: _count(url, "state <> 'ended'") == 0, "all tasks have ended", 60 + TASKS)
    rig.wait_quiet()
    assert {name: ids for name, ids in senders.named.items() if len(ids) > 1} == {}
    assert {end.task_key: end.outcome for end in rig.ends()} == dict.fromkeys(
        senders.accepted.values(), "succeeded"
    )
    assert len(set(senders.accepted.values())) == TASKS
    logs = [comfyui.text() for comfyui in comfyuis]
    runs = [sum(log.count(what) for log in logs) for what in ("got prompt", "Prompt executed")]
    assert runs == [TASKS, TASKS]
    assert rig.dead_letters() == []
    repeats = sum(len(worker.events("end_published_again")) for worker in rig.workers)
    print(f"{TASKS} tasks, {TIMES} kills: ComfyUI ran {runs[1]} times; {repeats} repeats were dropped")  # noqa: T201 - the soak's report


def test_killed_while_it_accepts_on_postgresql(process: GatewayProcess, postgresql_url: str) -> None:
    api = _api(process, postgresql_url)
    senders = Senders([api.url], api.key, TASKS // 3)
    _killed(process, senders, max(2, TIMES // 3))
    _check(senders, process)


def test_the_broker_cuts_the_connection_while_tasks_are_accepted(process: GatewayProcess) -> None:
    api = _api(process)
    senders = Senders([api.url], api.key, TASKS)
    with senders.sending():
        senders.until_accepted(10)
        process.vhost.cut("genpool-gateway-tasks")
    _check(senders, process)


def test_postgresql_is_away_while_tasks_are_accepted(
    process: GatewayProcess, postgresql_server: PostgresqlServer, postgresql_database: str
) -> None:
    proxy = TcpProxy(postgresql_server.host, postgresql_server.port)
    api = _api(process, postgresql_server.url(postgresql_database, port=proxy.port))
    senders = Senders([api.url], api.key, TASKS)
    with senders.sending():
        senders.until_accepted(20)
        proxy.cut()
        until(lambda: senders.reasons["TaskStoreUnavailable"] > 5, "tasks are refused")
        threading.Event().wait(_AWAY_SECONDS)
        proxy.mend()
    _check(senders, process)
    proxy.close()


def test_two_gateways_on_one_postgresql(process: GatewayProcess, postgresql_url: str, tmp_path: Path) -> None:
    """A watcher of one sees what the other one consumed, through a restart of either; both take the same key."""
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = GatewayProcess(process.vhost, other_folder, process.key)
    try:
        one, two = _api(process, postgresql_url), _api(other, postgresql_url)
        senders = Senders([one.url, two.url], one.key, 60)
        with senders.sending():
            pass
        _check(senders, process)

        tasks = [one.submit(f"watched {n}") for n in range(8)]
        # The broker gives the events to both in turns: of eight tasks each gateway hears some.
        for task in tasks:
            one.claimed(task)
        for task in tasks:
            for api in (one, two):
                with api.watching(task["id"]) as events:
                    assert [next(events)["data"]["type"] for _ in range(2)] == ["accepted", "claimed"]

        with one.watching(tasks[0]["id"], after=2) as events:
            other.kill()
            two.process.start()
            one.retried(tasks[0])
            assert next(events)["data"]["type"] == "retried"
            one.claimed(tasks[0], attempt=2)
            assert next(events)["data"]["type"] == "claimed"
        two.process.until_ready()
        with two.watching(tasks[0]["id"], after=4) as events:
            process.kill()
            process.start()
            process.until_ready()
            two.ended(tasks[0], attempt=2)
            assert [event["data"]["type"] for event in events] == ["ended"]
        assert one.until_status(tasks[0]["id"], "succeeded")["run"] == 1
    finally:
        other.kill()
