"""Who asks: from the headers of a request, never from its URL."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request

from genpool_gateway.api.problems import Problem
from genpool_gateway.api.rates import Rates
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.keys.access import Caller
from genpool_gateway.keys.proxy import caller_of, is_trusted

#: Who asks where nobody is asked who he is.
DEVELOPER = Caller("development", "development", "admin")
_HOW = "Send Authorization: Bearer KEY, or X-API-Key: KEY."


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
        caller = services.keyring.known(key) or await to_thread.run_sync(services.keyring.look_up, key)
        if caller is None:
            raise Problem("Unauthenticated", f"the API key is not known, or was revoked. {_HOW}")
        return caller
    named = request.headers.get(services.options.proxy_header)
    client = request.client.host if request.client else ""
    if named and is_trusted(client, services.options.proxies):
        caller = caller_of(named)
        if caller is None:
            raise Problem("Unauthenticated", "the proxy names no user.")
        return caller
    if not services.options.authenticate:
        return DEVELOPER
    raise Problem("Unauthenticated", f"the request has no API key. {_HOW}")


def _key(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
    return request.headers.get("x-api-key")
