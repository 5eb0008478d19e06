"""Bodies of requests: JSON alone, of a limited size, read within a time, and nothing that could not be stored later.

FastAPI reads a body before anything else and answers each trouble with the same 400; it takes NaN and half of a
surrogate pair, which no database and no message can hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from genpool_core.jsontypes import JsonValue
from genpool_core.strict_json import JsonFault, read_json
from genpool_gateway.api.problems import Problem
from genpool_gateway.api.services import services_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_MEDIA_TYPE = "application/json"
#: Larger ones are read in a thread.
_LARGE = 64 << 10


class JsonRoute(APIRoute):
    """A route whose body, if it has one, is JSON."""

    def get_route_handler(self) -> Handler:
        """FastAPI's handler, behind the reading of the body."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def with_body(request: Request) -> Response:
            # What FastAPI would make of the body; it asks the request for both.
            request._json = await read_json_body(request)  # noqa: SLF001 - Starlette's own cache
            request._body = b"read"  # noqa: SLF001
            return await handler(request)

        return with_body


async def read_json_body(request: Request) -> JsonValue:
    """The body as JSON; raises the Problem that it is."""
    services = services_of(request)
    options = services.options
    _require_json(request)
    body = await read_body(request, options.max_body_bytes, options.body_seconds)
    if len(body) > _LARGE:
        return await to_thread.run_sync(_parse, body, limiter=services.large)
    return _parse(body)


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body, whatever it is; raises the Problem that one is which is encoded, too large or too slow."""
    require_as_it_is(request)
    _require_size(request, limit)
    return await _read(request, limit, seconds)


def _require_json(request: Request) -> None:
    sent = request.headers.get("content-type", "")
    media_type = sent.partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        what = f"the body is {media_type[:100]}" if media_type else "the body's type is not said"
        raise Problem("UnsupportedMediaType", f"{what}: send JSON with Content-Type: {_MEDIA_TYPE}.")


def require_as_it_is(request: Request) -> None:
    """Raise the Problem that a compressed body is: its size would say nothing of what it unfolds to."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        text = f"the body is encoded ({encoding[:100]}): send it as it is, without Content-Encoding."
        raise Problem("UnsupportedMediaType", text)


def _require_size(request: Request, limit: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


async def _read(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body; raises a Problem for one that is too large, too slow or was given up."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise Problem(
            "RequestTimeout", f"the body was not there after {seconds:g} s: send it again, faster."
        ) from None
    except ClientDisconnect:
        raise Problem("InvalidRequest", "the body broke off.") from None
    return b"".join(parts)


def _parse(body: bytes) -> JsonValue:
    try:
        return read_json(body.decode())
    except UnicodeDecodeError as error:
        raise Problem(
            "InvalidRequest", f"the body is no UTF-8: byte {error.start} is not valid. Send JSON in UTF-8."
        ) from None
    except JsonFault as fault:
        place = ".".join(map(str, fault.path))[:200]
        more = {"parameter": place} if place else {}
        raise Problem(
            "InvalidRequest", f"{place or 'the body'} {fault.what}. {fault.advice}", more={**more}
        ) from None


def _too_large(limit: int) -> Problem:
    return Problem("RequestTooLarge", f"the body is over {limit:,} bytes: send large files as links.")
