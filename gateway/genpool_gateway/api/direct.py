"""The usual way of a task past FastAPI: the same request, the same answer, at less than half the time.

FastAPI's routing, dependencies and serialization take longer than all that accepting a task needs beside them. What it
has declared of ``POST /v1/tasks`` (:mod:`genpool_gateway.api.accept`) stays in force: a request that waits for its
task's end, or that has a query, goes there.
"""

from __future__ import annotations

from fastapi import Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from genpool_core.errors import GenPoolError
from genpool_gateway.api.accept import accept, accepted_view
from genpool_gateway.api.bodies import read_json_body
from genpool_gateway.api.callers import caller_of_request
from genpool_gateway.api.problems import Problem, problem_of, validation_problem
from genpool_gateway.api.services import services_of
from genpool_gateway.api.submission import IdempotencyKey, SubmitTask

_PATH = "/v1/tasks"
_KEY: TypeAdapter[str] = TypeAdapter(IdempotencyKey)
#: A header of a request that goes the long way.
_WAITS = b"prefer"


class DirectSubmit:
    """Answers ``POST /v1/tasks`` itself, where nothing is waited for; hands all else on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if not _is_usual(scope):
            await self._app(scope, receive, send)
            return
        try:
            response = await _answer(Request(scope, receive))
        except Problem as problem:
            response = problem.response()
        except GenPoolError as error:
            response = problem_of(error).response()
        await response(scope, receive, send)


def _is_usual(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["path"] == _PATH
        and scope["method"] == "POST"
        and not scope["query_string"]
        and all(name != _WAITS for name, _ in scope["headers"])
    )


async def _answer(request: Request) -> Response:
    services = services_of(request)
    services.check_store()
    body = await read_json_body(request)
    caller = await caller_of_request(request)
    try:
        key = _key(request)
    except ValidationError as error:
        raise validation_problem(error.errors(), "header", "idempotency-key") from None
    try:
        sent = SubmitTask.model_validate(body)
    except ValidationError as error:
        raise validation_problem(error.errors(), "body") from None
    record = (await accept(services, sent, caller, key)).record
    view, status = await accepted_view(services, record)
    return Response(view.__pydantic_serializer__.to_json(view), status, media_type="application/json")


def _key(request: Request) -> str | None:
    sent = request.headers.get("idempotency-key")
    return None if sent is None else _KEY.validate_python(sent)
