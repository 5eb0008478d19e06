"""A gateway whose task store is away at its start: callbacks go on, its API says why, and tasks are accepted later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genpool_dev.postgresql import PostgresqlServer
from integration.broker import Vhost, until
from integration.gateway.api import QUEUE, Api, prepare
from integration.gateway.conftest import GatewayProcess, Receiver
from integration.gateway.test_dispatch import Ask, ask  # noqa: F401 - a fixture
from support.tcpproxy import TcpProxy

Mend = Callable[[], None]


@pytest.fixture
def postgresql_away(
    gateway_process: GatewayProcess, postgresql_server: PostgresqlServer, postgresql_database: str
) -> Iterator[Mend]:
    proxy = TcpProxy(postgresql_server.host, postgresql_server.port)
    proxy.cut()
    file = gateway_process.folder / "database-url"
    file.write_text(postgresql_server.url(postgresql_database, port=proxy.port), encoding="ascii")
    gateway_process.environment["GENPOOL_DATABASE_URL_FILE"] = str(file)
    yield proxy.mend
    gateway_process.kill()
    proxy.close()


@pytest.fixture
def folder_missing(gateway_process: GatewayProcess, tmp_path: Path) -> Mend:
    folder = tmp_path / "volume"
    gateway_process.environment["GENPOOL_DATABASE_URL"] = f"sqlite:///{folder}/tasks.db"
    return folder.mkdir


@pytest.mark.parametrize(
    ("away", "said"),
    [
        ("postgresql_away", "the gateway goes on by itself when it answers"),
        ("folder_missing", "See that its folder is there"),
    ],
)
def test_a_store_that_is_away_at_the_start_stops_nothing_but_tasks(
    away: str,
    said: str,
    request: pytest.FixtureRequest,
    gateway_process: GatewayProcess,
    vhost: Vhost,
    receiver: Receiver,
    ask: Ask,  # noqa: F811 - the fixture
) -> None:
    api = _prepared(gateway_process, request, away)
    mend: Mend = request.getfixturevalue(away)
    gateway_process.start()
    until(lambda: said in gateway_process.get("/readyz").text, "the reason in /readyz", 20)
    assert gateway_process.get("/readyz/api").status_code == 503
    assert gateway_process.get("/healthz").status_code == 200

    webhook_id = ask("200")
    until(lambda: receiver.seen(webhook_id), "the callback", 20)
    for method, path, body in (
        ("GET", "/v1/tasks", None),
        ("GET", "/v1/pools", None),
        ("POST", "/v1/tasks", {"pool": "text", "parameters": {"prompt": "a lake"}}),
    ):
        answer = api.call(method, path, body)
        assert (answer.status_code, answer.json()["reason"]) == (503, "TaskStoreUnavailable")
        assert said in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    assert api.call("GET", "/openapi.json").status_code == 200

    mend()
    gateway_process.until_ready()
    assert gateway_process.get("/readyz/api").status_code == 200
    task = api.submit()
    api.claimed(task)
    api.until_status(task["id"], "running")
    assert vhost.ready(QUEUE) == 1
    assert gateway_process.stop() == 0


def test_a_gateway_stops_at_once_while_its_store_is_away(
    gateway_process: GatewayProcess, vhost: Vhost, request: pytest.FixtureRequest
) -> None:
    assert vhost is gateway_process.vhost
    _prepared(gateway_process, request, "folder_missing")
    gateway_process.start()
    assert gateway_process.stop() == 0


def _prepared(process: GatewayProcess, request: pytest.FixtureRequest, away: str) -> Api:
    made = prepare(process)
    # The fixture sets where the store is, after prepare has.
    request.getfixturevalue(away)
    return made
