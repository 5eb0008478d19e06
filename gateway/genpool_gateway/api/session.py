"""A browser's session: begun with an API key, known by a cookie, over after half a day or when its key is revoked."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from genpool_core import timing
from genpool_gateway.api.audit import audit
from genpool_gateway.api.bodies import JsonRoute
from genpool_gateway.api.callers import AnyCaller, from_trusted_proxy
from genpool_gateway.api.problems import BODY_PROBLEMS, PROBLEMS, Problem
from genpool_gateway.api.services import services_of
from genpool_gateway.keys import cookie
from genpool_gateway.keys.access import Caller, Role
from genpool_gateway.keys.sessions import csrf_token

router = APIRouter(tags=["session"], responses=PROBLEMS, route_class=JsonRoute)


class Login(BaseModel):
    """Who a browser is."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"key": "gpk_0123456789012345678901234567890123456789012"}]},
    )

    key: Annotated[str, Field(min_length=1, max_length=128, repr=False)]
    """The API key; or the word of a link that `genpool local` gives, which is good once."""


class SessionView(BaseModel):
    """Who asks, and what it may do."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    """Id of the API key: the owner of the tasks."""
    name: str
    """For whom or what the key is."""
    role: Role
    """What it may do."""
    pools: list[str] | None
    """``namespace/name`` of its pools; null: all."""
    csrf: str | None
    """Send it as ``X-CSRF-Token`` with requests that change something; null where no cookie says who asks."""


@router.post(
    "/session", summary="Begin a browser's session", responses=BODY_PROBLEMS, openapi_extra={"security": []}
)
async def begin_session(request: Request, response: Response, sent: Login) -> SessionView:
    """Take an API key once, and set an http-only cookie that stands for it for 12 hours."""
    services = services_of(request)
    begun = await to_thread.run_sync(services.sessions.begin, sent.key.strip())
    if begun is None:
        raise Problem(
            "Unauthenticated", "the API key is not known, or was revoked: see that it was copied whole."
        )
    await to_thread.run_sync(audit, services, begun.caller, "session.begun", begun.caller.id)
    response.set_cookie(
        cookie.NAME,
        begun.cookie,
        max_age=timing.SESSION_SECONDS,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return _view(begun.caller, csrf_token(begun.cookie))


@router.get("/session", summary="Get who asks")
async def get_session(request: Request, caller: AnyCaller) -> SessionView:
    """Who asks, by whatever says so: a key, a session's cookie, a trusted proxy."""
    sent = request.cookies.get(cookie.NAME)
    own = sent is not None and services_of(request).sessions.known(sent) is not None
    return _view(caller, csrf_token(sent) if sent is not None and own else None)


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT, summary="End a browser's session")
async def end_session(request: Request, caller: AnyCaller) -> Response:
    """End the session of the cookie; nothing where there is none."""
    sent = request.cookies.get(cookie.NAME)
    if sent is not None:
        services = services_of(request)
        await to_thread.run_sync(services.sessions.end, sent)
        await to_thread.run_sync(audit, services, caller, "session.ended", caller.id)
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.delete_cookie(
        cookie.NAME, path="/", secure=_is_secure(request), httponly=True, samesite="strict"
    )
    return response


def _is_secure(request: Request) -> bool:
    return cookie.is_secure(
        scheme=request.url.scheme,
        host=request.headers.get("host", ""),
        forwarded=request.headers.get("x-forwarded-proto") if from_trusted_proxy(request) else None,
        public_url=services_of(request).options.public_url,
    )


def _view(caller: Caller, csrf: str | None) -> SessionView:
    pools = None if caller.pools is None else sorted(caller.pools)
    return SessionView(id=caller.id, name=caller.name, role=caller.role, pools=pools, csrf=csrf)
