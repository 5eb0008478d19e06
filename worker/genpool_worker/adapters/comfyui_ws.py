"""ComfyUI's websocket by websocket-client. The server sends no heartbeat, so we ping it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import websocket

from genpool_core import timing
from genpool_worker.comfyui_json import Frame
from genpool_worker.errors import ComfyUIGone, ComfyUISilent


@contextmanager
def open_listener(url: str) -> Iterator[SocketListener]:
    """Connect; closed with its context.

    Raises
    ------
    ComfyUIGone
        Nothing listens.
    ComfyUISilent
        No answer in time, or a wrong one.
    """
    try:
        # No Origin: ComfyUI wants it to be equal to Host, or absent.
        socket = websocket.create_connection(url, timeout=timing.COMFYUI_QUICK_SECONDS, suppress_origin=True)
    except ConnectionRefusedError as error:
        raise ComfyUIGone("ComfyUI does not run: nothing listens at its port.") from error
    except (websocket.WebSocketException, OSError) as error:
        raise ComfyUISilent(f"ComfyUI's websocket did not open ({type(error).__name__}).") from error
    try:
        yield SocketListener(socket)
    finally:
        # Without a wait for the server's own close frame: it may hang.
        socket.shutdown()


class SocketListener:
    """Implements ``ports.Listener``."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket
        self._heard = self._pinged = time.monotonic()

    def receive(self, timeout: float) -> Frame | None:
        """The next frame of JSON; previews are passed over."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self._ping_if_due()
            try:
                self._socket.settimeout(left)
                opcode, data = self._socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                return None
            except (websocket.WebSocketException, OSError) as error:
                raise ComfyUISilent(f"ComfyUI's websocket died ({type(error).__name__}).") from error
            self._heard = time.monotonic()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise ComfyUISilent("ComfyUI closed its websocket.")
            frame = _frame(data) if opcode == websocket.ABNF.OPCODE_TEXT else None
            if frame is not None:
                return frame
        return None

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
