"""Files of pools whose results are in a folder: by links that the gateway has signed, which need no API key."""

from __future__ import annotations

import asyncio
import hashlib
import os
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from genpool_adapters.objectstore.draft import Draft
from genpool_core import timing
from genpool_gateway.api.bodies import require_as_it_is
from genpool_gateway.api.problems import BODY_PROBLEMS, Problem, documented
from genpool_gateway.api.ranges import NoSuchPart, is_known, part_of
from genpool_gateway.api.services import services_of
from genpool_gateway.pools.file_links import TOKEN_LENGTH, Grant
from genpool_gateway.pools.linked_files import ServedFile

Token = Annotated[str, Path(min_length=1, max_length=TOKEN_LENGTH)]
#: Read and written at once.
CHUNK = 1 << 20
_FILE = {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
_KNOWN = {"description": "It is the file of the ETag in `If-None-Match`"}
_PUBLIC: dict[str, list[str]] = {"security": []}
_BODY = {
    "required": True,
    "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
}

router = APIRouter(tags=["files"], responses=documented(403, 404, 422, 500, 503))


@router.get(
    "/files/{token}",
    summary="Download a file",
    response_class=Response,
    responses={200: _FILE, 206: {**_FILE, "description": "A part of it"}, 304: _KNOWN, **documented(416)},
    openapi_extra=_PUBLIC,
)
async def get_file(request: Request, token: Token) -> Response:
    """A result of a pool with `storage.type: Folder`, by the link in a task. Pictures are shown, all else is saved."""
    return await _answer(request, token, body=True)


@router.head(
    "/files/{token}",
    summary="Look at a file",
    response_class=Response,
    responses={
        200: {"description": "It is there"},
        206: {"description": "The part is"},
        304: _KNOWN,
        **documented(416),
    },
    openapi_extra=_PUBLIC,
)
async def head_file(request: Request, token: Token) -> Response:
    """The headers of a download."""
    return await _answer(request, token, body=False)


@router.put(
    "/files/{token}",
    summary="Send the file of an upload",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=BODY_PROBLEMS,
    openapi_extra={**_PUBLIC, "requestBody": _BODY},
)
async def put_file(request: Request, token: Token) -> Response:
    """The file of `POST /v1/uploads`, with its `headers`. It is there as a whole or not at all."""
    grant, folder = await to_thread.run_sync(services_of(request).linked_files.place, token)
    require_as_it_is(request)
    _require_as_signed(request, grant)
    with await to_thread.run_sync(folder.draft, grant.key) as draft:
        await _receive(request, grant, draft)
        await to_thread.run_sync(draft.replace)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _answer(request: Request, token: str, *, body: bool) -> Response:
    served = await to_thread.run_sync(services_of(request).linked_files.open, token)
    if served is None:
        raise Problem("NotFound", "the file was deleted: see the task's expires_at and erased_at.")
    try:
        if is_known(request.headers.get("if-none-match"), _etag(served)):
            known = Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": _etag(served)})
            os.close(served.file.descriptor)
            return known
        return _FileAnswer(served, _part(request, served), body=body)
    except BaseException:
        os.close(served.file.descriptor)
        raise


def _part(request: Request, served: ServedFile) -> range | None:
    """What to send; None: all. A part of a file that is another one now is of no use."""
    condition = request.headers.get("if-range")
    if condition is not None and condition != _etag(served):
        return None
    try:
        return part_of(request.headers.get("range"), served.file.size)
    except NoSuchPart:
        raise Problem(
            "RangeNotSatisfiable",
            f"the file has {served.file.size:,} bytes: ask for a range of these.",
            headers={"Content-Range": f"bytes */{served.file.size}"},
        ) from None


class _FileAnswer(Response):
    """Sends an open file, or a part of it, and closes it."""

    def __init__(self, served: ServedFile, part: range | None, *, body: bool) -> None:
        self._descriptor = served.file.descriptor
        self._part = part or range(served.file.size)
        self._body = body
        status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
        how = "inline" if served.is_shown else "attachment"
        headers = {
            "Content-Type": served.content_type,
            "Content-Length": str(len(self._part)),
            "Content-Disposition": f"{how}; filename*=UTF-8''{quote(served.name, safe='')}",
            "Accept-Ranges": "bytes",
            "ETag": _etag(served),
        }
        if part is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{served.file.size}"
        super().__init__(status_code=status, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """As ASGI has it."""
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            at, end = self._part.start, self._part.stop if self._body else self._part.start
            while at < end:
                data = await to_thread.run_sync(os.pread, self._descriptor, min(CHUNK, end - at), at)
                if not data:
                    # Nothing of ours shortens a file: the server breaks the answer off.
                    return
                at += len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            os.close(self._descriptor)


def _etag(served: ServedFile) -> str:
    file = served.file
    return f'"{hashlib.sha256(f"{file.number} {file.size} {file.written}".encode()).hexdigest()[:16]}"'


def _require_as_signed(request: Request, grant: Grant) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != grant.content_type:
        what = f"Content-Type is {sent[:100]}" if sent else "there is no Content-Type"
        raise Problem(
            "UnsupportedMediaType", f"{what}: send {grant.content_type}, as the upload was asked for."
        )
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) != grant.size:
        raise _other_size(grant, int(declared))


async def _receive(request: Request, grant: Grant, draft: Draft) -> None:
    """Write the whole body; raises a Problem for one of another size, too slow, or given up."""
    pause = services_of(request).options.body_seconds
    loop = asyncio.get_running_loop()
    latest = loop.time() + timing.UPLOAD_LINK_SECONDS
    size, buffer = 0, bytearray()
    try:
        async with asyncio.timeout_at(min(latest, loop.time() + pause)) as limit:
            async for part in request.stream():
                limit.reschedule(min(latest, loop.time() + pause))
                size += len(part)
                if size > grant.size:
                    raise _other_size(grant, size)
                buffer += part
                if len(buffer) >= CHUNK:
                    await to_thread.run_sync(draft.write, bytes(buffer))
                    buffer.clear()
    except TimeoutError:
        raise Problem("RequestTimeout", f"no part of the file came for {pause:g} s: send it again.") from None
    except ClientDisconnect:
        raise Problem("InvalidRequest", "the file broke off.") from None
    if size != grant.size:
        raise _other_size(grant, size)
    await to_thread.run_sync(draft.write, bytes(buffer))


def _other_size(grant: Grant, sent: int) -> Problem:
    reason = "RequestTooLarge" if sent > grant.size else "InvalidRequest"
    return Problem(
        reason,
        f"the upload is of {grant.size:,} bytes, and {sent:,} came: ask for an upload of the file's size.",
    )
