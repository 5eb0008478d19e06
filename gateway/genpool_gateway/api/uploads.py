"""Uploads of input files, straight into the pool's bucket or folder."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from genpool_core import timing
from genpool_core.tasks.uploads import NAME
from genpool_gateway.api.bodies import JsonRoute
from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.problems import BODY_PROBLEMS, CONFLICT, PROBLEMS
from genpool_gateway.api.request_base import whole
from genpool_gateway.api.services import services_of
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.uploads import Upload, new_upload
from genpool_gateway.tasks.places import LooseInput

router = APIRouter(
    tags=["uploads"], responses={**PROBLEMS, **BODY_PROBLEMS, **CONFLICT}, route_class=JsonRoute
)


class NewUpload(BaseModel):
    """A file to be uploaded."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {"pool": "art/text", "name": "lake.png", "content_type": "image/png", "size_bytes": 48213}
            ]
        },
    )

    pool: Annotated[str, Field(min_length=1, max_length=320)]
    """``namespace/name`` of the pool whose tasks will use it, or its name where there is one of it."""
    name: Annotated[str, Field(pattern=rf"^{NAME}$")]
    """What the file is called."""
    content_type: Annotated[str, Field(pattern=r"^image/[a-z0-9.+-]{1,40}$")]
    """Its media type."""
    size_bytes: Annotated[int, Field(strict=True, ge=1, le=5 << 30)]
    """Its size, which is a part of the link's signature."""


class UploadView(BaseModel):
    """A place for a file."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    """Send this as the value of a task's parameter that is a file. Only the same API key may."""
    method: str = "PUT"
    """How to send the file."""
    url: str
    """Where to send it. The signature in it is a secret."""
    headers: dict[str, str]
    """Headers to send with it, as they are."""
    expires_at: datetime
    """Until when the link is valid."""


@router.post("/uploads", status_code=HTTPStatus.CREATED, summary="Upload an input file")
async def make_upload(request: Request, wanted: NewUpload, caller: AnyCaller) -> UploadView:
    """A link by which a file is put into the pool's store. Then send a task that names its `id`, within a day."""
    services = services_of(request)
    pool = services.pools.snapshot().visible_to(caller.pools).find(wanted.pool)

    def make() -> Upload:
        made = new_upload(
            pool,
            services.links.buckets,
            owner=caller.id,
            token=secrets.token_hex(16),
            name=wanted.name,
            content_type=wanted.content_type,
            size=wanted.size_bytes,
        )
        place = require_serving(pool).config.store
        loose = LooseInput(place, made.key, services.now(), upload=made.id, owner=caller.id)
        services.loose.note([loose])
        return made

    made = await to_thread.run_sync(make)
    return UploadView(
        id=made.id,
        url=whole(made.url),
        headers={"Content-Type": wanted.content_type, "Content-Length": str(wanted.size_bytes)},
        expires_at=services.now() + timedelta(seconds=timing.UPLOAD_LINK_SECONDS),
    )
