"""A message of ComfyUI's websocket that comes byte by byte, or does not end."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
import websocket

from genpool_worker.adapters.comfyui_ws import MOST_BYTES, SocketListener, TimedSocket
from genpool_worker.errors import ComfyUISilent

TEXT, PREVIEW = 0x81, 0x82


def frame(text: str) -> bytes:
    data = text.encode()
    return bytes([TEXT, 127]) + struct.pack("!Q", len(data)) + data


MESSAGE = frame(json.dumps({"type": "status", "data": {}}))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, SocketListener]]:
    """The server's end, and the listener at the other."""
    server, client = socket.socketpair()
    timed = TimedSocket(fileno=client.detach())
    opened = websocket.WebSocket()
    opened.sock = timed
    opened.connected = True
    yield server, SocketListener(opened, timed)
    server.close()
    timed.close()


def test_a_wait_ends_in_time_and_the_message_is_whole_later(
    pair: tuple[socket.socket, SocketListener],
) -> None:
    server, listener = pair

    def drip() -> None:
        for byte in MESSAGE:
            server.sendall(bytes([byte]))
            time.sleep(0.02)

    thread = threading.Thread(target=drip)
    began = time.monotonic()
    thread.start()
    assert listener.receive(0.2) is None
    assert time.monotonic() - began < 0.02 * len(MESSAGE)
    thread.join()
    found = listener.receive(5)
    assert found is not None
    assert found.type == "status"


def test_a_message_without_end_ends_the_listener(pair: tuple[socket.socket, SocketListener]) -> None:
    server, listener = pair

    def flood() -> None:
        server.sendall(bytes([TEXT, 127]) + struct.pack("!Q", 1 << 40))
        megabyte = b"x" * (1 << 20)
        for _ in range(2 * (MOST_BYTES >> 20)):
            try:
                server.sendall(megabyte)
            except OSError:
                return

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    with pytest.raises(ComfyUISilent, match="ConnectionAbortedError"):
        listener.receive(60)


def test_each_message_may_be_as_large_as_any(pair: tuple[socket.socket, SocketListener]) -> None:
    """Previews that are larger than the bound together."""
    server, listener = pair
    size = MOST_BYTES // 2
    preview = bytes([PREVIEW, 127]) + struct.pack("!Q", size) + b"x" * size
    thread = threading.Thread(target=server.sendall, args=(preview * 3 + MESSAGE,), daemon=True)
    thread.start()
    found = listener.receive(30)
    assert found is not None
    assert found.type == "status"
    thread.join(5)
