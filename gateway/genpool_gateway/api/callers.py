"""Who asks: from the headers of a request, never from its URL.

What a browser sends by itself, a cookie or a proxy's login, counts for a request that changes something only where our
own page sent it: with the token of the session, or from our own origin as the browser says.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from genpool_core.errors import TaskStoreError
from genpool_gateway.api.problems import Problem
from genpool_gateway.api.rates import Rates
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.keys import cookie
from genpool_gateway.keys.access import Caller
from genpool_gateway.keys.proxy import caller_of, is_trusted
from genpool_gateway.keys.sessions import is_csrf_token

#: Who asks where nobody is asked who he is.
DEVELOPER = Caller("development", "development", "admin")
CSRF_HEADER = "x-csrf-token"
_HOW = "Send Authorization: Bearer KEY, or X-API-Key: KEY."
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: ``Sec-Fetch-Site`` of requests that our own page or a person sends; programs send none.
_OWN = frozenset({None, "same-origin", "none"})


async def caller_of_request(request: Request) -> Caller:
    """The caller; raises the Problem ``Unauthenticated`` or ``TooManyRequests``."""
    services = services_of(request)
    caller = await _caller(request, services)
    rates: Rates = request.app.state.rates
    wait = rates.take(caller.id)
    if wait is not None:
        text = f"more than {services.options.requests_per_second:g} requests a second under this key: send fewer."
        raise Problem("TooManyRequests", text, retry_after=wait)
    return caller


async def is_still(request: Request, caller: Caller) -> bool:
    """Whether a request would be from the same caller if it came now: its key may have been revoked, its session ended.

    Also while that cannot be told, since the task store does not answer.
    """
    try:
        return await _caller(request, services_of(request)) == caller
    except Problem:
        return False
    except TaskStoreError:
        return True


AnyCaller = Annotated[Caller, Depends(caller_of_request)]


async def admin_of_request(caller: AnyCaller) -> Caller:
    """A caller that is an administrator; raises the Problem ``Forbidden``."""
    if not caller.is_admin:
        raise Problem(
            "Forbidden", f"key {caller.name!r} has the role {caller.role}: this needs the role admin."
        )
    return caller


AdminCaller = Annotated[Caller, Depends(admin_of_request)]


async def _caller(request: Request, services: Services) -> Caller:
    key = _key(request)
    if key is not None:
        caller = services.keyring.known(key) or await services.looks.ask(services.keyring.look_up, key)
        if caller is None:
            raise Problem("Unauthenticated", f"the API key is not known, or was revoked. {_HOW}")
        return caller
    sent = request.cookies.get(cookie.NAME)
    if sent:
        caller = services.sessions.known(sent) or await services.looks.ask(services.sessions.look_up, sent)
        if caller is not None:
            _require_token(request, sent)
            return caller
    named = request.headers.get(services.options.proxy_header)
    if named and from_trusted_proxy(request):
        caller = caller_of(named)
        if caller is None:
            raise Problem("Unauthenticated", "the proxy names no user.")
        _require_own(request)
        return caller
    if not services.options.authenticate:
        _require_own(request)
        return DEVELOPER
    if sent:
        raise Problem("Unauthenticated", f"the session is over: log in again. Programs: {_HOW}")
    raise Problem("Unauthenticated", f"the request has no API key. {_HOW}")


def from_trusted_proxy(request: Request) -> bool:
    """Whether the connection comes from a proxy that is believed about who asks, and how it was asked itself."""
    client = request.client.host if request.client else ""
    return is_trusted(client, services_of(request).options.proxies)


def _require_token(request: Request, sent: str) -> None:
    if request.method not in _SAFE and not is_csrf_token(request.headers.get(CSRF_HEADER), sent):
        text = "a request with a session's cookie that changes something needs X-CSRF-Token, from GET /v1/session."
        raise Problem("Forbidden", text)


def _require_own(request: Request) -> None:
    if request.method in _SAFE or request.headers.get("sec-fetch-site") in _OWN:
        return
    if request.headers.get("origin") not in services_of(request).options.cors_origins:
        text = (
            "a page of another origin sent this request: list the origin in GENPOOL_CORS_ORIGINS if it may."
        )
        raise Problem("Forbidden", text)


def _key(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
    return request.headers.get("x-api-key")
