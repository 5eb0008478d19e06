"""API keys and the audit log, for administrators."""

from __future__ import annotations

import uuid
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from genpool_gateway.api.audit import audit
from genpool_gateway.api.bodies import JsonRoute
from genpool_gateway.api.callers import AdminCaller
from genpool_gateway.api.document import link
from genpool_gateway.api.numbers import Plain
from genpool_gateway.api.problems import BODY_PROBLEMS, PROBLEMS, Problem
from genpool_gateway.api.services import services_of
from genpool_gateway.keys.access import Role
from genpool_gateway.keys.secret import digest_of, new_key
from genpool_gateway.tasks.key_ports import ApiKey

router = APIRouter(tags=["keys"], responses=PROBLEMS, route_class=JsonRoute)
#: Its name is not ``key``, as that is the secret itself, which is never in a URL.
KeyId = Annotated[str, Path(max_length=64, pattern=r"^key-[0-9a-f]+$", description="The key's id.")]
PoolText = Annotated[
    str, Field(max_length=320, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
]


class KeyRequest(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"name": "web shop", "role": "user", "max_queued": 500}]},
    )

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """For whom or what it is."""
    role: Role = "user"
    """``user``: its own tasks; ``operator``: all tasks of its pools; ``admin``: keys too."""
    pools: Annotated[list[PoolText], Field(max_length=100)] | None = None
    """``namespace/name`` of the pools that it is for; all when left out, as it must be for an administrator."""
    max_queued: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    """Most unfinished tasks; no cap when left out."""

    @model_validator(mode="after")
    def _all_or_no_administrator(self) -> KeyRequest:
        if self.role == "admin" and self.pools is not None:
            raise ValueError(
                "an administrator's key makes keys for any pool: leave pools out, or take another role"
            )
        return self


class KeyView(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    """Its id, the owner of its tasks."""
    name: str
    """For whom or what it is."""
    role: Role
    """What it may do."""
    pools: list[str] | None
    """Its pools; null: all."""
    max_queued: int | None
    """Most unfinished tasks; null: no cap."""
    created_at: datetime
    """When it was made."""
    revoked_at: datetime | None
    """When it was revoked."""


class NewKeyView(KeyView):
    """A key that was just made."""

    key: str
    """The key itself. It is shown this once, and only its hash is kept."""


class KeyList(BaseModel):
    """All keys."""

    keys: list[KeyView]


class AuditView(BaseModel):
    """Something that somebody did."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    time: datetime
    """When."""
    key: str
    """Id of the API key; `installation` is the first one, `user-…` somebody whom a proxy names."""
    action: str
    """What."""
    subject: str
    """To which task or key; of dead letters, to which pool's, and to how many."""


class AuditList(BaseModel):
    """The newest entries of the audit log."""

    entries: list[AuditView]


@router.get("/keys", summary="List API keys")
async def list_keys(request: Request, _caller: AdminCaller) -> KeyList:
    """All keys that were made, revoked ones too; not the one of the installation."""
    keys = await to_thread.run_sync(services_of(request).keys.keys)
    return KeyList(keys=[KeyView.model_validate(_fields(key)) for key in keys])


@router.post(
    "/keys",
    status_code=HTTPStatus.CREATED,
    summary="Make an API key",
    responses={**BODY_PROBLEMS, 201: {"links": link("revoke_key", id="$response.body#/id")}},
)
async def make_key(request: Request, wanted: KeyRequest, caller: AdminCaller) -> NewKeyView:
    """Make a key. The answer alone shows it."""
    services = services_of(request)
    secret = new_key()
    key = ApiKey(
        id=f"key-{uuid.uuid4().hex[:12]}",
        name=wanted.name,
        digest=digest_of(secret),
        role=wanted.role,
        pools=None if wanted.pools is None else tuple(wanted.pools),
        max_queued=wanted.max_queued,
        created_at=services.now(),
    )

    def store() -> None:
        services.keys.add_key(key)
        audit(services, caller, "key.made", key.id)

    await to_thread.run_sync(store)
    return NewKeyView.model_validate({**_fields(key), "key": secret})


@router.delete("/keys/{id}", summary="Revoke an API key")
async def revoke_key(request: Request, id: KeyId, caller: AdminCaller) -> KeyView:  # noqa: A002 - as in the answers
    """Revoke a key: a few seconds later no gateway takes it any more. Its tasks stay."""
    services = services_of(request)

    def revoke() -> ApiKey | None:
        at = services.now()
        found = services.keys.revoke_key(id, at)
        if found is not None and found.revoked_at == at:
            audit(services, caller, "key.revoked", id)
        return found

    revoked = await to_thread.run_sync(revoke)
    if revoked is None:
        raise Problem("NotFound", f"there is no key {id!r}.")
    services.keyring.forget()
    services.sessions.forget()
    return KeyView.model_validate(_fields(revoked))


@router.get("/audit", summary="Read the audit log")
async def read_audit(
    request: Request, _caller: AdminCaller, limit: Annotated[int, Query(ge=1, le=1000), Plain] = 100
) -> AuditList:
    """Who did what, the newest first."""
    entries = await to_thread.run_sync(lambda: services_of(request).keys.audit_log(limit=limit))
    return AuditList(
        entries=[AuditView(time=e.time, key=e.key, action=e.action, subject=e.subject) for e in entries]
    )


def _fields(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "pools": None if key.pools is None else list(key.pools),
        "max_queued": key.max_queued,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
