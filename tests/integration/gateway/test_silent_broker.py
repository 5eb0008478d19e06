"""A broker that says nothing more keeps those waiting who need its word, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from integration.broker import Vhost
from integration.gateway.api import Api, prepare, running
from integration.gateway.conftest import GatewayProcess
from support.tcpproxy import TcpProxy

#: More than the threads that all requests share.
REPLAYS = 45


@pytest.fixture
def broker(vhost: Vhost) -> Iterator[TcpProxy]:
    """The gateway's way to the broker, which can be silenced."""
    proxy = TcpProxy(vhost.server.host, vhost.server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def api(gateway_process: GatewayProcess, vhost: Vhost, broker: TcpProxy) -> Iterator[Api]:
    assert vhost is gateway_process.vhost
    gateway_process.broker = broker
    gateway_process.environment["GENPOOL_REQUESTS_PER_SECOND"] = "0"
    with running(prepare(gateway_process)) as made:
        yield made


def test_replays_that_wait_for_it_keep_no_reader_waiting(api: Api, broker: TcpProxy) -> None:
    task = api.submit()
    api.claimed(task)
    api.ended(task)
    api.until_status(task["id"], "succeeded")
    broker.hang()
    with ThreadPoolExecutor(REPLAYS) as senders:
        replays = [
            # Each sender has connections of its own.
            senders.submit(Api(api.process, api.key).call, "POST", f"/v1/tasks/{task['id']}/replay")
            for _ in range(REPLAYS)
        ]
        for _ in range(2 * REPLAYS):
            assert api.call("GET", f"/v1/tasks/{task['id']}").status_code == 200
        assert not any(each.done() for each in replays), "a reader waited as long as they did"
        answers = [each.result() for each in replays]
    assert {each.status_code for each in answers} == {503}
    assert {each.json()["reason"] for each in answers} <= {
        "NotConfirmed",
        "BrokerUnavailable",
        "NotPublished",
    }
