"""The application: routes, errors, limits, the OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware

from genpool_core.version import __version__
from genpool_gateway.api import (
    accept,
    dead_letters,
    ended,
    files,
    intake_letters,
    keys,
    linked_files,
    pools,
    session,
    tasks,
    uploads,
    usage,
)
from genpool_gateway.api.direct import DirectSubmit
from genpool_gateway.api.docs_page import add_docs_page
from genpool_gateway.api.document import describe
from genpool_gateway.api.measured import VERSION, Measured
from genpool_gateway.api.middleware import SecurityHeaders
from genpool_gateway.api.problems import answer_with_problems
from genpool_gateway.api.rates import Rates
from genpool_gateway.api.request_base import RequestBase
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.api.web_page import add_web_page

_ABOUT = """Tasks for pools of ComfyUI workers.

Send `Authorization: Bearer KEY` (or `X-API-Key: KEY`) with each request. A browser may begin a session instead
(`POST /v1/session`), and then sends `X-CSRF-Token` with each request that changes something. Errors are
`application/problem+json` with a `reason` and its `code`."""


def create_app(services: Services) -> FastAPI:
    """The API over these services."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        services.hub.bind(asyncio.get_running_loop())
        yield

    app = FastAPI(
        title="GenPool",
        version=__version__,
        description=_ABOUT,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        # Starlette takes the host of such a redirect from the request, as whoever sent it made it up.
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
        # We have metrics of our own. To look at each request whether somebody set a provider took a fifth of its time.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.services = services
    app.state.rates = Rates(services.options.requests_per_second)
    answer_with_problems(app)
    for router in (
        accept.router,
        tasks.router,
        ended.router,
        uploads.router,
        files.router,
        dead_letters.router,
        intake_letters.router,
        pools.router,
        usage.router,
        keys.router,
        session.router,
    ):
        app.include_router(_versioned(router))
    # Without the task store: a file is its own truth.
    app.include_router(linked_files.router, prefix=VERSION)
    describe(app)
    add_docs_page(app)
    add_web_page(app)
    app.add_middleware(DirectSubmit)
    app.add_middleware(SecurityHeaders)
    if services.options.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(services.options.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Idempotency-Key",
                "Content-Type",
                "Prefer",
                "Last-Event-ID",
            ],
            expose_headers=["Retry-After"],
        )
    if not services.options.public_url:
        app.add_middleware(RequestBase)
    # The last one is the outermost: it counts what the others answer, too.
    app.add_middleware(Measured)
    return app


def _versioned(router: APIRouter) -> APIRouter:
    outer = APIRouter(prefix=VERSION, dependencies=[Depends(_store_is_open)])
    outer.include_router(router)
    return outer


async def _store_is_open(request: Request) -> None:
    services_of(request).check_store()
