"""A broker that falls silent: the connection stays open, and nothing comes or goes any more."""

from __future__ import annotations

import queue
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from genpool_adapters.amqp import AmqpConnection
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from integration.broker import Vhost, until


class Wire:
    """A TCP forwarder that can be held."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._held = threading.Event()
        self._ended = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def hold(self) -> None:
        self._held.set()

    def release(self) -> None:
        self._held.clear()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for sock in [self._listener, *self._pairs]:
            sock.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._held.is_set():
                self._ended.wait(0.01)
                continue
            for key, _ in self._selector.select(0.05):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                if sock is self._listener:
                    self._accept()
                else:
                    self._forward(sock)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection(self._target)
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, sock: socket.socket) -> None:
        data = b""
        with suppress(OSError):
            data = sock.recv(65_536)
        other = self._pairs.get(sock)
        if other is None:
            return
        if data:
            with suppress(OSError):
                other.sendall(data)
            return
        for end in (sock, other):
            self._selector.unregister(end)
            del self._pairs[end]
            end.close()


@pytest.fixture
def wire(rabbitmq: Vhost) -> Iterator[Wire]:
    made = Wire(rabbitmq.server.host, rabbitmq.server.port)
    yield made
    made.close()


@pytest.fixture
def connection(rabbitmq: Vhost, wire: Wire) -> Iterator[AmqpConnection]:
    settings = rabbitmq.settings("silent", host="127.0.0.1", port=wire.port, heartbeat_seconds=2)
    made = AmqpConnection(settings, backoff=Backoff(first=0.05, cap=0.2))
    made.start()
    assert made.wait_connected(10)
    yield made
    made.stop()


def test_a_publish_without_an_answer_ends_in_time_and_is_said_to_be_unknown(
    rabbitmq: Vhost, connection: AmqpConnection, wire: Wire
) -> None:
    rabbitmq.queue("work")
    wire.hold()
    began = time.monotonic()
    with pytest.raises(BrokerError) as caught:
        connection.publish(OutgoingMessage("", "work", b"x"), timeout=0.5)
    assert time.monotonic() - began < 2
    assert caught.value.reason == "BrokerUnreachable"
    with pytest.raises(BrokerError):
        connection.passive_declare("work", timeout=0.2)
    wire.release()


def test_silence_is_noticed_by_heartbeats_and_ended(
    rabbitmq: Vhost, connection: AmqpConnection, wire: Wire
) -> None:
    rabbitmq.queue("work")
    got: queue.Queue[Delivery] = queue.Queue()
    connection.consume("work", got.put)
    connection.publish(OutgoingMessage("", "work", b"1"))
    held = got.get(timeout=10)
    wire.hold()
    until(lambda: not connection.connected, "the loss", 20)
    assert not connection.ack(held)
    assert not connection.holds(held)
    wire.release()
    assert got.get(timeout=20).body == b"1"
    until(lambda: connection.consuming, "the consumer again")


def test_a_stop_during_silence_is_bounded(connection: AmqpConnection, wire: Wire) -> None:
    wire.hold()
    began = time.monotonic()
    connection.stop(timeout=1)
    assert time.monotonic() - began < 4
    assert not [thread for thread in threading.enumerate() if thread.name == "amqp-silent"]
