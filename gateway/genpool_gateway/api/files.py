"""Files for pages, at paths of our own: a browser may talk to no other origin without the bucket's consent.

An upload's bytes go through the gateway; all else is a redirect to a signed link.
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from genpool_core.image_types import HEAD_BYTES, IMAGE_NAMES, SENT_IMAGE_TYPES, require_image
from genpool_core.tasks.uploads import NAME, SCHEME, upload_key
from genpool_gateway.api.bodies import read_body
from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.problems import BODY_PROBLEMS, CONFLICT, PROBLEMS, Problem
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.api.tasks import TaskId
from genpool_gateway.api.views import visible_task
from genpool_gateway.keys.access import Caller
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.uploads import upload_place
from genpool_gateway.tasks.places import LooseInput
from genpool_gateway.tasks.record import TaskRecord

router = APIRouter(tags=["uploads"], responses={**PROBLEMS, **CONFLICT})
#: A body is in memory as a whole, as the program has no disk; larger files go to the bucket by their link.
_MOST_BYTES = 64 * 1024 * 1024
_AT_ONCE = asyncio.Semaphore(2)
#: A photo of the largest size over a slow line.
_TIMES_THE_PATIENCE = 6


@router.put(
    "/uploads/{token}/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Send an upload's bytes",
    responses={**BODY_PROBLEMS},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def send_upload(
    request: Request,
    caller: AnyCaller,
    token: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="As in the upload's `id`.")],
    name: Annotated[str, Path(pattern=rf"^{NAME}$", description="As in the upload's `id`.")],
    pool: Annotated[str, Query(min_length=1, max_length=320, description="As for the upload.")],
) -> Response:
    """The bytes of an upload, where a link to the bucket does not serve: 64 MiB at most, and the pool's `maxInput`."""
    services = services_of(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in SENT_IMAGE_TYPES:
        raise Problem(
            "UnsupportedMediaType", f"the file is no {IMAGE_NAMES} file, as its type says: send one."
        )
    found = services.pools.snapshot().visible_to(caller.pools).find(pool)
    async with _AT_ONCE:
        body = await read_body(request, _MOST_BYTES, services.options.body_seconds * _TIMES_THE_PATIENCE)
        await services.slow.run(
            partial(_put, services, found, caller, f"{SCHEME}{token}/{name}", body, media_type)
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _put(
    services: Services, pool: ServedPool, caller: Caller, upload: str, body: bytes, media_type: str
) -> None:
    """Noted before it is there, whoever made up its id: an object that no task ever uses is deleted a day later.

    Raises RefusedInput for what is no image, and what :func:`upload_place` does.
    """
    require_image("the file", body[:HEAD_BYTES])
    store, key = upload_place(pool, services.links.buckets, owner=caller.id, value=upload, size=len(body))
    place = require_serving(pool).config.store
    services.loose.note([LooseInput(place, key, services.now(), upload=upload, owner=caller.id)])
    store.put(key, body, media_type)


@router.get(
    "/tasks/{task}/inputs/{parameter}",
    status_code=HTTPStatus.FOUND,
    response_class=RedirectResponse,
    summary="Get an uploaded input file",
    responses={302: {"description": "A signed link to the file"}},
)
async def get_input(
    request: Request,
    task: TaskId,
    parameter: Annotated[str, Path(min_length=1, max_length=128, description="A parameter that is a file.")],
    caller: AnyCaller,
) -> RedirectResponse:
    """The file that a task was given as an upload. One that was given as a URL is there, not here."""
    services = services_of(request)
    record = await visible_task(services, caller, task)
    url = await to_thread.run_sync(_link, services, record, parameter)
    if url is None:
        raise Problem(
            "NotFound",
            f"task {task} was given no upload as {parameter!r}, or the gateway may not sign for its bucket.",
        )
    return RedirectResponse(url, HTTPStatus.FOUND)


@router.get(
    "/tasks/{task}/outputs/{name}",
    status_code=HTTPStatus.FOUND,
    response_class=RedirectResponse,
    summary="Save a result",
    responses={302: {"description": "A signed link by which a browser saves the file"}},
)
async def save_output(
    request: Request,
    task: TaskId,
    name: Annotated[str, Path(min_length=1, max_length=255, description="`name` of an output.")],
    caller: AnyCaller,
) -> RedirectResponse:
    """A result as a file to be saved. `url` of an output shows it instead."""
    services = services_of(request)
    record = await visible_task(services, caller, task)
    outputs = () if record.end is None else record.end.outputs
    found = next((output for output in outputs if output.key.rpartition("/")[2] == name), None)
    url = None if found is None else await to_thread.run_sync(services.links.to_save, record.pool.uid, found)
    if url is None:
        raise Problem(
            "NotFound", f"task {task} has no result {name!r}, or the gateway may not sign for its bucket."
        )
    return RedirectResponse(url, HTTPStatus.FOUND)


def _link(services: Services, record: TaskRecord, parameter: str) -> str | None:
    place = services.links.place_of(record.pool.uid)
    value = record.parameters.get(parameter)
    if place is None or record.owner is None or not isinstance(value, str):
        return None
    key = upload_key(value, prefix=place.prefix, owner=record.owner)
    store = None if key is None else services.links.buckets.of(place)
    return None if key is None or store is None else store.sign(key)
