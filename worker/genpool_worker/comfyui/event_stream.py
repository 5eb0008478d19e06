"""ComfyUI's websocket, opened again when it dies. It only tells when to ask: the history is the truth."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import structlog

from genpool_core import timing
from genpool_worker.comfyui_json import Frame
from genpool_worker.errors import ComfyUIError
from genpool_worker.ports import Clock, ComfyUI, Listener, Preview

_log = structlog.get_logger(__name__)
#: Not ComfyUI's: the socket died or was opened again, and frames may have been missed.
SOCKET_CHANGED = Frame(type="socket_changed")


class EventStream:
    """Frames of ComfyUI's websocket. Those about a prompt go only to the client that posted it."""

    def __init__(self, comfyui: ComfyUI, clock: Clock) -> None:
        self._comfyui = comfyui
        self._clock = clock
        self._stack = ExitStack()
        self._listener: Listener | None = None
        self._next_try = 0.0
        self.client_id = str(uuid.uuid4())
        """For ``POST /prompt``."""
        self._first = self.client_id

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def receives_progress(self) -> bool:
        """Whether the first socket still lives: a later one has another client id and gets no frames of the prompt."""
        return self._listener is not None and self.client_id == self._first

    def next_frame(self, seconds: float) -> Frame | Preview | None:
        """The next frame or preview, or None after so long; SOCKET_CHANGED where frames may have been missed."""
        if self._listener is None:
            if self._clock.monotonic() >= self._next_try:
                self.client_id = str(uuid.uuid4())
                self._open()
                if self._listener is not None:
                    return SOCKET_CHANGED
            self._clock.sleep(min(seconds, timing.COMFYUI_TICK_SECONDS))
            return None
        try:
            return self._listener.receive(seconds)
        except ComfyUIError as error:
            _log.info("comfyui_socket_lost", reason=error.reason, message=error.message)
            self._close()
            return SOCKET_CHANGED

    def _open(self) -> None:
        """A fresh client id for each socket: when two share one, closing the older one silences the newer."""
        try:
            self._listener = self._stack.enter_context(self._comfyui.listen(self.client_id))
        except ComfyUIError as error:
            _log.info("comfyui_socket_not_open", reason=error.reason, message=error.message)
            self._next_try = self._clock.monotonic() + timing.COMFYUI_SOCKET_RETRY_SECONDS

    def _close(self) -> None:
        self._listener = None
        self._stack.close()
        self._stack = ExitStack()
