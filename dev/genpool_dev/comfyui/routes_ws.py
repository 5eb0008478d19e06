"""The websocket."""

from __future__ import annotations

import json
import uuid

from aiohttp import WSMsgType, web

from genpool_dev.comfyui.routes_info import SERVER_FEATURES
from genpool_dev.comfyui.standin import Standin, standin_of
from genpool_dev.comfyui.web_common import Route


def _greet(standin: Standin, sid: str) -> None:
    """Send the queue's state, and the running node to a client that comes back to its job."""
    hub = standin.hub
    hub.send("status", {"status": standin.queue_info(), "sid": sid}, sid)
    if hub.client_id == sid and hub.last_node_id is not None:
        hub.send("executing", {"node": hub.last_node_id}, sid)


def _asks_for_features(text: str) -> bool:
    try:
        message = json.loads(text)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("type") == "feature_flags"


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Register the socket under its clientId until it closes. No heartbeat: clients ping."""
    standin = standin_of(request)
    # A compressor for each socket costs memory that a loopback connection does not pay back.
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    sid = request.query.get("clientId") or uuid.uuid4().hex
    standin.hub.register(sid, socket)
    try:
        _greet(standin, sid)
        first = True
        async for message in socket:
            if first and message.type is WSMsgType.TEXT and _asks_for_features(message.data):
                standin.hub.send("feature_flags", SERVER_FEATURES, sid)
            first = False
    finally:
        standin.hub.unregister(sid)
    return socket


ROUTES: tuple[Route, ...] = (("GET", "/ws", websocket),)
