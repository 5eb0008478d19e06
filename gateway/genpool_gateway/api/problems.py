"""Errors as RFC 9457 has them, with the reason and its number that all of GenPool uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from genpool_core.errors import GenPoolError
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.reasons import code_of
from genpool_gateway.accepting.refusals import Unconfirmed

_log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_SHOWN = 200

#: Status of an answer by its reason; 422 for those that are about what was sent.
STATUS: Mapping[str, int] = {
    "Unauthenticated": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotEnded": 409,
    "NoCallback": 409,
    "NotReplayable": 409,
    "BucketNotListed": 409,
    "RequestTooLarge": 413,
    "UnsupportedMediaType": 415,
    "TooManyRequests": 429,
    "TooManyTasks": 429,
    "QueueFull": 429,
    "InternalError": 500,
    "BrokerUnavailable": 503,
    "BrokerUnreachable": 503,
    "NotConfirmed": 503,
    "GatewayOverloaded": 503,
    "PoolsUnknown": 503,
    "PoolUnavailable": 503,
    "StorageUnavailable": 503,
    "StorageCredentialsMissing": 503,
    "TaskStoreUnavailable": 503,
}
#: Seconds of ``Retry-After``, where trying again helps.
_RETRY_AFTER = {429: 5, 503: 5}
_OF_STATUS = {404: "NotFound", 405: "MethodNotAllowed", 413: "RequestTooLarge", 415: "UnsupportedMediaType"}


class ProblemView(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    type: str
    """``urn:genpool:reason:`` and the reason."""
    title: str
    """Short, the same for each such problem."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened, to what, why, and what to do."""
    reason: str
    """Constant in CamelCase."""
    code: int
    """Number of the reason."""


class Problem(Exception):  # noqa: N818 - the RFC's word
    """A refusal on its way to the caller. ``more``: further members of the answer."""

    def __init__(
        self, reason: str, detail: str, *, more: JsonObject | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.more = more or {}
        self.retry_after = retry_after

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
        headers = {}
        wait = self.retry_after or _RETRY_AFTER.get(self.status)
        if wait is not None:
            headers["Retry-After"] = str(wait)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Bearer realm="genpool"'
        return JSONResponse(self.body(), self.status, headers, media_type=MEDIA_TYPE)


def problem_of(error: GenPoolError) -> Problem:
    """The problem that an error of ours is to a caller."""
    more: JsonObject = {"id": error.task} if isinstance(error, Unconfirmed) else {}
    for name in ("parameter", "expected", "sent"):
        value: JsonValue = getattr(error, name, None)
        if value is not None:
            more[name] = value
    return Problem(error.reason, error.message, more=more)


#: What every route may answer, for the OpenAPI document.
PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": ProblemView, "description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {}}}
    for status in (401, 403, 404, 413, 422, 429, 503)
}
CONFLICT: dict[int | str, dict[str, object]] = {
    409: {"model": ProblemView, "description": HTTPStatus(409).phrase, "content": {MEDIA_TYPE: {}}}
}


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
        return _of_validation(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> Response:
        reason = _OF_STATUS.get(error.status_code, "InvalidRequest")
        return Problem(reason, f"{error.detail}.").response()

    @app.exception_handler(Exception)
    async def _defect(request: Request, _error: Exception) -> Response:
        _log.exception("request_failed", method=request.method, path=request.url.path)
        text = "the gateway met a fault of its own: its log has the details. Please report it."
        return Problem("InternalError", text).response()


def _of_validation(faults: Sequence[Mapping[str, object]]) -> Problem:
    first = faults[0]
    place = first.get("loc")
    path = ".".join(str(part) for part in place[1:]) if isinstance(place, (tuple, list)) else ""
    what = f"{path}: {first.get('msg')}" if path else f"the request: {first.get('msg')}"
    more: JsonObject = {"parameter": path} if path else {}
    sent = first.get("input")
    if isinstance(sent, (str, int, float, bool)):
        more["sent"] = sent if not isinstance(sent, str) else sent[:_SHOWN]
    return Problem("InvalidRequest", f"{what}. See /docs for what may be sent.", more=more)
