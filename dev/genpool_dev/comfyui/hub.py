"""The websockets: who is connected under which clientId, and one publisher for all events."""

from __future__ import annotations

import asyncio
import json
import logging
import struct

from aiohttp import web

log = logging.getLogger(__name__)

PREVIEW_IMAGE = 1
_JPEG = 1


class Hub:
    """Sends events in order. Nothing is kept: who is not connected misses them.

    One clientId has one socket. When two sockets share an id and the older closes, the newer is
    unregistered too and silently gets nothing: ComfyUI's own trap.
    """

    def __init__(self) -> None:
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._outgoing: asyncio.Queue[tuple[str | None, str | bytes]] = asyncio.Queue()
        self.client_id: str | None = None
        """The client of the running job."""
        self.last_node_id: str | None = None
        """The node that runs, for clients that come back."""

    def register(self, sid: str, socket: web.WebSocketResponse) -> None:
        """Make this the socket of that id; the one before is forgotten, not closed."""
        self._sockets[sid] = socket

    def unregister(self, sid: str) -> None:
        """Forget whichever socket has that id now."""
        self._sockets.pop(sid, None)

    def send(self, event: str, data: object, sid: str | None) -> None:
        """Queue one JSON event for a client, or for all where `sid` is None."""
        self._outgoing.put_nowait((sid, json.dumps({"type": event, "data": data})))

    def send_preview(self, jpeg: bytes, sid: str) -> None:
        """Queue one binary preview frame for a client."""
        self._outgoing.put_nowait((sid, struct.pack(">II", PREVIEW_IMAGE, _JPEG) + jpeg))

    async def publish(self) -> None:
        """Send what was queued, for ever."""
        while True:
            sid, frame = await self._outgoing.get()
            if sid is None:
                targets = list(self._sockets.values())
            else:
                targets = [self._sockets[sid]] if sid in self._sockets else []
            for socket in targets:
                try:
                    if isinstance(frame, bytes):
                        await socket.send_bytes(frame)
                    else:
                        await socket.send_str(frame)
                except ConnectionError as error:
                    log.warning("send error: %s", error)

    async def close(self) -> None:
        """Close every socket, so that the server can end."""
        for socket in list(self._sockets.values()):
            await socket.close()
