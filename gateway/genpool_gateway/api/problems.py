"""Errors as RFC 9457 has them, with the reason and its number that all of GenPool uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from genpool_core.errors import GenPoolError
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.reasons import code_of
from genpool_core.shown import shown
from genpool_gateway.accepting.refusals import Erased, OtherOptions, QueueFull, Unconfirmed
from genpool_gateway.api.document import methods_of
from genpool_gateway.api.problem_view import ProblemView

_log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_SHOWN = 200

#: Status of an answer by its reason; 422 for those that are about what was sent.
STATUS: Mapping[str, int] = {
    "MalformedRequest": 400,
    "Unauthenticated": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "RequestTimeout": 408,
    "NotEnded": 409,
    "NoCallback": 409,
    "NotReplayable": 409,
    "StoreNotListed": 409,
    "StoreRefused": 409,
    "TaskIdReused": 409,
    "TaskErased": 409,
    "RequestTooLarge": 413,
    "UnsupportedMediaType": 415,
    "RangeNotSatisfiable": 416,
    "TooManyRequests": 429,
    "TooManyTasks": 429,
    "QueueFull": 429,
    "HeadersTooLarge": 431,
    "InternalError": 500,
    "BrokerUnavailable": 503,
    "BrokerUnreachable": 503,
    "NotConfirmed": 503,
    "QueueBusy": 503,
    "GatewayOverloaded": 503,
    "PoolsUnknown": 503,
    "PoolUnavailable": 503,
    "StorageUnavailable": 503,
    "StorageCredentialsMissing": 503,
    "TaskStoreUnavailable": 503,
}
#: Seconds of ``Retry-After``, where trying again helps.
_RETRY_AFTER = {429: 5, 503: 5}
#: After these the rest of a request may still be on its way: the connection is of no more use.
_CLOSING = frozenset({400, 408, 413, 431})
_OF_STATUS = {404: "NotFound", 405: "MethodNotAllowed", 413: "RequestTooLarge", 415: "UnsupportedMediaType"}


class Problem(Exception):  # noqa: N818 - the RFC's word
    """A refusal on its way to the caller. ``more``: further members of the answer. ``headers``: of it."""

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        more: JsonObject | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.more = more or {}
        self.retry_after = retry_after
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return STATUS.get(self.reason, HTTPStatus.UNPROCESSABLE_ENTITY)

    def body(self) -> JsonObject:
        """The members of the answer."""
        return {
            "type": f"urn:genpool:reason:{self.reason}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "code": code_of(self.reason),
            **self.more,
        }

    def response(self) -> Response:
        """The answer."""
        headers = dict(self.headers)
        wait = self.retry_after or _RETRY_AFTER.get(self.status)
        if wait is not None:
            headers["Retry-After"] = str(wait)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Bearer realm="genpool"'
        if self.status in _CLOSING:
            headers["Connection"] = "close"
        return JSONResponse(self.body(), self.status, headers, media_type=MEDIA_TYPE)


def problem_of(error: GenPoolError) -> Problem:
    """The problem that an error of ours is to a caller."""
    more: JsonObject = {"id": error.task} if isinstance(error, (Unconfirmed, OtherOptions, Erased)) else {}
    if isinstance(error, OtherOptions):
        more["differing"] = list(error.differing)
    for name in ("parameter", "expected", "sent"):
        value: JsonValue = getattr(error, name, None)
        if value is not None:
            more[name] = value
    wait = error.retry_after if isinstance(error, QueueFull) else None
    return Problem(error.reason, error.message, more=more, retry_after=wait)


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Problems that a route may answer with, for the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemView.__name__}"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


#: What every route may answer.
PROBLEMS = documented(401, 403, 404, 422, 429, 500, 503)
#: And those that take a body.
BODY_PROBLEMS = documented(408, 413, 415)
#: And those that need a task that has ended, a bucket that is listed, or that nobody sent the task otherwise before.
CONFLICT = documented(409)


def answer_with_problems(app: FastAPI) -> None:
    """Have an application answer with problems, whatever goes wrong in it."""

    @app.exception_handler(Problem)
    async def _problem(_request: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(GenPoolError)
    async def _error(_request: Request, error: GenPoolError) -> Response:
        return problem_of(error).response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        return validation_problem(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        reason = _OF_STATUS.get(error.status_code, "InvalidRequest")
        response = Problem(reason, f"{error.detail}.").response()
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # Starlette names the methods of the first route that has the path.
            response.headers["Allow"] = ", ".join(methods_of(app.openapi(), request.url.path))
        return response

    @app.exception_handler(Exception)
    async def _defect(request: Request, _error: Exception) -> Response:
        _log.exception("request_failed", method=request.method, path=request.url.path)
        text = "the gateway met a fault of its own: its log has the details. Please report it."
        return Problem("InternalError", text).response()


def validation_problem(faults: Sequence[Mapping[str, object]], *where: str) -> Problem:
    """The problem that pydantic's faults are. ``where``: the part of the request, where the faults do not say it."""
    first = faults[0]
    place: object = first.get("loc")
    if isinstance(place, tuple):
        place = (*where, *place)
    # Names in it may be the sender's own, of any length.
    path = ".".join(str(part) for part in place[1:])[:_SHOWN] if isinstance(place, (tuple, list)) else ""
    said = str(first.get("msg"))[:_SHOWN]
    what = f"{path}: {said}" if path else f"the request: {said}"
    more: JsonObject = {"parameter": path} if path else {}
    sent = first.get("input")
    if isinstance(sent, (str, int, float, bool)):
        more["sent"] = shown(sent)
    return Problem("InvalidRequest", f"{what}. See /docs for what may be sent.", more=more)
