"""Counts and times the requests of the API, by their routes."""

from __future__ import annotations

import time
from contextlib import ExitStack

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genpool_gateway.api.services import services_of

#: Prefix of all routes that the document has. A route knows its path below it only.
VERSION = "/v1"
#: A path that no route has, and a method that none takes: their names are the caller's, so they are no label.
UNMATCHED = "unmatched"
OTHER = "other"
#: ``POST`` of it goes past the routes (:mod:`genpool_gateway.api.direct`).
_TASKS = f"{VERSION}/tasks"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_STREAM = b"text/event-stream"


class Measured:
    """Counts each answer, and times it until it begins: how long a file or a stream takes is up to its receiver."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        metrics = services_of(Request(scope)).metrics
        began, has_answer = time.monotonic(), False
        open_streams = ExitStack()

        def answered(status: int) -> None:
            nonlocal has_answer
            has_answer = True
            seconds = None if may_wait(scope) else time.monotonic() - began
            metrics.answered(method_of(scope), route_of(scope), status, seconds)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered(message["status"])
                if is_stream(message):
                    open_streams.enter_context(metrics.streaming())
            await send(message)

        with open_streams:
            try:
                await self._app(scope, receive, counted)
            except Exception:
                # The server answers it, outside of this; one that has begun it breaks off.
                if not has_answer:
                    answered(500)
                raise


def method_of(scope: Scope) -> str:
    """The method of a request as a label."""
    return scope["method"] if scope["method"] in _METHODS else OTHER


def route_of(scope: Scope) -> str:
    """The path of a request's route, with the names of its parameters, as a label. Known once it was answered."""
    path: str = scope["path"]
    found: str | None = getattr(scope.get("route"), "path", None)
    if found is None:
        return _TASKS if path == _TASKS else UNMATCHED
    below = path.startswith(f"{VERSION}/") and not found.startswith(f"{VERSION}/")
    return f"{VERSION}{found}" if below else found


def may_wait(scope: Scope) -> bool:
    """Whether a request asks to wait for the end of a task: its time is the task's, and says nothing of the API."""
    query: bytes = scope["query_string"]
    return any(part.startswith(b"wait=") for part in query.split(b"&")) or any(
        name == b"prefer" for name, _ in scope["headers"]
    )


def is_stream(start: Message) -> bool:
    """Whether the answer that begins is a stream of events."""
    return any(
        name.lower() == b"content-type" and value.startswith(_STREAM) for name, value in start["headers"]
    )
