"""What all routes share: reading JSON, ComfyUI's 500, the check of Origin against Host."""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from genpool_dev.comfyui.wire import Json, ServerTrouble

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]
"""Method, path, handler."""

MAX_BODY_BYTES = 100 * 1024 * 1024
"""Above this a request is answered 413, as by ComfyUI's `--max-upload-size`."""


async def read_json(request: web.Request) -> Any:  # noqa: ANN401  JSON may be anything
    """Return the parsed body, whatever its content type.

    Raises
    ------
    ServerTrouble
        Where it is not JSON: ComfyUI answers 500 there.
    """
    try:
        return json.loads(await request.text())
    except ValueError as error:
        raise ServerTrouble("the body is not JSON") from error


async def read_object(request: web.Request) -> Json:
    """Return the parsed body where it is an object; else as `read_json`."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise ServerTrouble("the body is no JSON object")
    return body


@web.middleware
async def trouble_as_500(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what ComfyUI trips over as aiohttp does: 500 and plain text."""
    try:
        return await handler(request)
    except ServerTrouble as error:
        log.error("%s %s: %s; ComfyUI answers 500 here", request.method, request.path, error)  # noqa: TRY400  its trace says nothing
        text = "500 Internal Server Error\n\nServer got itself in trouble"
        return web.Response(status=500, text=text)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin_allowed(host: str | None, origin: str | None) -> bool:
    """Whether a browser page of that origin may talk to a server under that Host header."""
    if not host or not origin:
        return True
    server, page = urlsplit(f"//{host.lower()}"), urlsplit(origin.lower())
    if not _is_loopback(server.hostname or "") or not page.hostname:
        return True
    if page.port is None or server.port is None:
        return server.hostname == page.hostname
    return server.netloc == page.netloc


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 403 where the Origin header is another site than the Host."""
    if not origin_allowed(request.headers.get("Host"), request.headers.get("Origin")):
        return web.Response(status=403)
    return await handler(request)
