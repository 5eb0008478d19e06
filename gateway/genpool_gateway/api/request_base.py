"""The address under which a request reached the API, for links that must be whole where no public address is set."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from genpool_gateway.tasks.view import Link

_SCOPE: ContextVar[Scope] = ContextVar("genpool_request")


class RequestBase:
    """Remembers the request, for as long as it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        token = _SCOPE.set(scope)
        try:
            await self._app(scope, receive, send)
        finally:
            _SCOPE.reset(token)


def whole(url: str) -> str:
    """A link of ours that is a path only, as a whole URL; others as they are."""
    scope = _SCOPE.get(None)
    if scope is None or not url.startswith("/"):
        return url
    return f"{str(HTTPConnection(scope).base_url).rstrip('/')}{url}"


def whole_links(links: Mapping[str, Link]) -> Mapping[str, Link]:
    """The same of links by object key."""
    return {key: replace(link, url=whole(link.url)) for key, link in links.items()}
