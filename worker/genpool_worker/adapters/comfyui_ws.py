"""ComfyUI's websocket by websocket-client. The server sends no heartbeat, so we ping it.

What runs in ComfyUI may send anything: a wait ends in time though a byte comes now and then, and a message has a size.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import websocket

from genpool_core import timing
from genpool_worker.comfyui.preview import read_preview
from genpool_worker.comfyui_json import Frame
from genpool_worker.errors import ComfyUIGone, ComfyUISilent
from genpool_worker.ports import Preview

_HTTP_PORT = 80
#: Bytes of the largest message; previews are images of some megabytes.
MOST_BYTES = 64 << 20


class TimedSocket(socket.socket):
    """A socket whose reads together end in time, and bring no more than one message may have."""

    _ends = 0.0
    _room = MOST_BYTES

    def allow(self, seconds: float) -> None:
        """Let reads take so long from now on."""
        self._ends = time.monotonic() + seconds

    def begin_message(self) -> None:
        """Let the next message be as large as any."""
        self._room = MOST_BYTES

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Read some bytes.

        Raises
        ------
        TimeoutError
            The time is over.
        ConnectionAbortedError
            The message is too large.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._room <= 0:
            raise ConnectionAbortedError(f"a message has more than {MOST_BYTES >> 20} MiB")
        self.settimeout(left)
        data = super().recv(bufsize, flags)
        self._room -= len(data)
        return data


@contextmanager
def open_listener(url: str, *, previews: bool) -> Iterator[SocketListener]:
    """Connect; closed with its context. Without ``previews`` they are passed over.

    Raises
    ------
    ComfyUIGone
        Nothing listens.
    ComfyUISilent
        No answer in time, or a wrong one.
    """
    try:
        found = _connect(url, timing.COMFYUI_QUICK_SECONDS)
    except ConnectionRefusedError as error:
        raise ComfyUIGone("ComfyUI does not run: nothing listens at its port.") from error
    except (websocket.WebSocketException, OSError) as error:
        raise ComfyUISilent(f"ComfyUI's websocket did not open ({type(error).__name__}).") from error
    try:
        yield SocketListener(*found, previews=previews)
    finally:
        # Without a wait for the server's own close frame: it may hang.
        found[0].shutdown()


def _connect(url: str, seconds: float) -> tuple[websocket.WebSocket, TimedSocket]:
    """The websocket, and the socket below it; connecting and the handshake take so long at most, each."""
    parts = urlsplit(url)
    plain = socket.create_connection((parts.hostname or "", parts.port or _HTTP_PORT), timeout=seconds)
    timed = TimedSocket(fileno=plain.detach())
    timed.allow(seconds)
    try:
        # No Origin: ComfyUI wants it to be equal to Host, or absent.
        opened = websocket.create_connection(
            url, timeout=seconds, suppress_origin=True, redirect_limit=0, socket=timed
        )
    except BaseException:
        timed.close()
        raise
    timed.begin_message()
    return opened, timed


class SocketListener:
    """Implements ``ports.Listener``."""

    def __init__(self, opened: websocket.WebSocket, timed: TimedSocket, *, previews: bool = False) -> None:
        self._socket = opened
        self._timed = timed
        self._previews = previews
        self._heard = self._pinged = time.monotonic()

    def receive(self, timeout: float) -> Frame | Preview | None:
        """The next frame of JSON, or preview where they are wanted."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self._ping_if_due()
            try:
                self._timed.allow(left)
                opcode, data = self._socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                return None
            except (websocket.WebSocketException, OSError) as error:
                raise ComfyUISilent(f"ComfyUI's websocket died ({type(error).__name__}).") from error
            self._heard = time.monotonic()
            self._timed.begin_message()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise ComfyUISilent("ComfyUI closed its websocket.")
            frame = self._read(opcode, data)
            if frame is not None:
                return frame
        return None

    def _read(self, opcode: int, data: bytes) -> Frame | Preview | None:
        if opcode == websocket.ABNF.OPCODE_TEXT:
            return _frame(data)
        wanted = self._previews and opcode == websocket.ABNF.OPCODE_BINARY
        return read_preview(data) if wanted else None

    def _ping_if_due(self) -> None:
        now = time.monotonic()
        if now - self._heard > timing.COMFYUI_SOCKET_DEAD_SECONDS:
            raise ComfyUISilent(
                f"ComfyUI's websocket gave no sign of life for {timing.COMFYUI_SOCKET_DEAD_SECONDS:.0f} s."
            )
        if now - self._pinged > timing.COMFYUI_PING_SECONDS:
            self._pinged = now
            try:
                self._socket.ping()
            except (websocket.WebSocketException, OSError) as error:
                raise ComfyUISilent(f"ComfyUI's websocket died ({type(error).__name__}).") from error


def _frame(data: bytes) -> Frame | None:
    try:
        frame = Frame.read_object(json.loads(data))
    except ValueError:
        return None
    return frame if frame.type else None
