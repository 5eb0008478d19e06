"""A management API that takes requests and answers none, beside one that answers. Real threads and sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genpool_core import timing
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError
from genpool_core.topology.plan import PutVhost
from genpool_operator.adapters.rabbit import RabbitBrokers
from genpool_operator.adapters.rabbit.management_thread import ManagementThread
from genpool_operator.ports import PoolKey
from support.waiting import wait_until
from unit.operator.pools import make_pool

#: Much less than a hanging request takes, and enough for a loaded machine.
SOON = 2 * timing.MANAGEMENT_WAIT_SECONDS


class Silent:
    """Accepts connections and answers nothing; counts them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._socket:
            while True:
                item = self._socket.accept()[0]
                if self._closing:
                    item.close()
                    return
                self.taken.append(item)

    _closing = False

    def close(self) -> None:
        """Hang up on everybody."""
        self._closing = True
        socket.create_connection(self._socket.getsockname()).close()
        self._thread.join(10)
        for item in self.taken:
            item.close()


class Healthy(BaseHTTPRequestHandler):
    """A management API without any vhost. A test may close its gate: answers come when it is opened."""

    gate = threading.Event()
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.gate.wait(30)
        body = json.dumps({"rabbitmq_version": "4.3.6"}).encode()
        self.send_response(200 if self.path == "/api/overview" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


@contextmanager
def serving(handler: type[Healthy]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def healthy() -> Iterator[tuple[str, type[Healthy]]]:
    class Handler(Healthy):
        gate = threading.Event()
        asked: list[str] = []  # noqa: RUF012 - of this test

    Handler.gate.set()
    with serving(Handler) as url:
        yield url, Handler
        Handler.gate.set()


@pytest.fixture
def broker(tmp_path: Path) -> Callable[[str, str], BrokerConfig]:
    for name, text in (("username", "admin"), ("password", "secret")):
        (tmp_path / name).write_text(text)

    def made(name: str, url: str) -> BrokerConfig:
        return BrokerConfig(
            name=name, host="127.0.0.1", port=1, management_url=url, credentials_path=str(tmp_path)
        )

    return made


@pytest.fixture
def changes() -> list[tuple[PoolKey, bool]]:
    return []


@pytest.fixture
def brokers(changes: list[tuple[PoolKey, bool]]) -> Iterator[RabbitBrokers]:
    made = RabbitBrokers(lambda: datetime.now(UTC), lambda key, full: changes.append((key, full)))
    yield made
    made.stop()


def until(check: Callable[[], object], what: str) -> None:
    wait_until(check, bool, what, seconds=30, pause=0.01)


def failure(call: Callable[[], object]) -> tuple[BrokerError, float]:
    began = time.monotonic()
    with pytest.raises(BrokerError) as raised:
        call()
    return raised.value, time.monotonic() - began


def test_a_broker_that_hangs_holds_each_caller_once_and_no_other_broker(
    brokers: RabbitBrokers,
    broker: Callable[[str, str], BrokerConfig],
    silent: Silent,
    healthy: tuple[str, type[Healthy]],
) -> None:
    hanging, good = broker("hanging", silent.url), broker("good", healthy[0])

    def ask(_number: int) -> tuple[BrokerError, float]:
        return failure(lambda: brokers.facts(hanging, "/", settled=False))

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ask, number) for number in range(8)]
        until(lambda: silent.taken, "a request hangs")
        began = time.monotonic()
        assert brokers.facts(good, "/", settled=True).exists is False
        assert time.monotonic() - began < timing.MANAGEMENT_WAIT_SECONDS
        answers = [item.result() for item in asked]
    assert len(silent.taken) == 1, "one request for all that ask"
    assert max(seconds for _, seconds in answers) < SOON
    assert {error.reason for error, _ in answers} == {"BrokerUnreachable"}
    # Known to hang now: nobody waits any more, nor puts anything behind the request that hangs.
    for call in (
        lambda: brokers.facts(hanging, "/", settled=False),
        lambda: brokers.facts(hanging, "another", settled=False),
        lambda: brokers.provision(hanging, "/", [PutVhost()]),
        lambda: brokers.delete_user(hanging, "somebody"),
    ):
        assert failure(call)[1] < 0.5
    assert len(silent.taken) == 1


def test_the_answer_that_nobody_waited_for_gives_the_pools_a_full_pass(
    brokers: RabbitBrokers,
    broker: Callable[[str, str], BrokerConfig],
    healthy: tuple[str, type[Healthy]],
    changes: list[tuple[PoolKey, bool]],
) -> None:
    url, handler = healthy
    slow, pool = broker("slow", url), make_pool()
    handler.gate.clear()
    brokers.follow(slow, pool)
    failure(lambda: brokers.facts(slow, "/", settled=True))
    assert not changes
    handler.gate.set()
    until(lambda: changes == [(("team", "pictures"), True)], "a full pass is asked for")
    asked = len(handler.asked)
    assert brokers.facts(slow, "/", settled=True).exists is False
    assert len(handler.asked) == asked, "what came late is as good as what came in time"


def test_a_vhost_without_a_pool_is_read_and_not_monitored(
    brokers: RabbitBrokers, broker: Callable[[str, str], BrokerConfig]
) -> None:
    """The gateway's users need no connection of the operator's."""
    away = broker("away", "http://127.0.0.1:1")

    def monitors() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "list away/"]

    failure(lambda: brokers.facts(away, "/", settled=True))
    assert not monitors()
    brokers.follow(away, make_pool())
    assert monitors()


def test_a_reading_counts_from_its_end_and_not_from_its_start(
    broker: Callable[[str, str], BrokerConfig], healthy: tuple[str, type[Healthy]]
) -> None:
    """Else a reading that took longer than its life would be made again by every pool."""
    step = timedelta(seconds=2 * timing.TOPOLOGY_SECONDS)
    now = [datetime(2026, 3, 1, tzinfo=UTC)]

    def clock() -> datetime:
        """Every look at it costs two minutes."""
        now[0] += step
        return now[0]

    url, handler = healthy
    slow = RabbitBrokers(clock, lambda _key, _full: None)
    assert slow.facts(broker("b", url), "/", settled=True).exists is False
    asked = len(handler.asked)
    now[0] -= step
    slow.facts(broker("b", url), "/", settled=True)
    assert len(handler.asked) == asked
    slow.facts(broker("b", url), "/", settled=True)
    assert len(handler.asked) == 2 * asked
    slow.stop()


def test_a_management_thread_recovers_with_its_first_answer() -> None:
    gate = threading.Event()
    thread = ManagementThread("x", "http://x", wait_seconds=0.1)
    error, _ = failure(lambda: thread.do(lambda: gate.wait(30)))
    assert "has not answered" in error.message
    assert "http://x" in error.message
    gate.set()
    until(lambda: thread._pending == 0, "the request ends")
    assert thread.do(lambda: 7) == 7
    thread.close(5)


def test_a_job_that_waits_in_vain_is_not_done_later() -> None:
    gate, done = threading.Event(), threading.Event()
    thread = ManagementThread("x", "http://x", wait_seconds=0.2)
    thread.submit(lambda: gate.wait(30))
    failure(lambda: thread.do(done.set))
    gate.set()
    until(lambda: thread._pending == 0, "both are over")
    assert thread.do(lambda: 7) == 7
    assert not done.is_set()
    thread.close(5)


def test_a_management_thread_gives_the_jobs_own_error_to_its_caller() -> None:
    thread = ManagementThread("x", "http://x", wait_seconds=5)

    def refuse() -> None:
        raise BrokerError("no", reason="BrokerRefused")

    assert failure(lambda: thread.do(refuse))[0].reason == "BrokerRefused"
    with pytest.raises(TimeoutError, match="its own"):
        thread.do(lambda: (_ for _ in ()).throw(TimeoutError("its own")))
    thread.close(5)
