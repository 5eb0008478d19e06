"""A GenerationPool as it is stored, which an older CRD may have let through although it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject


@dataclass(frozen=True)
class PoolRecord:
    """A GenerationPool as it is stored: either one that can be read, or what is wrong with it."""

    meta: ObjectMeta
    status: GenerationPoolStatus
    pool: GenerationPool | None = None
    error: InvalidManifest | None = None

    @property
    def resource_version(self) -> str:
        """As Kubernetes gives it."""
        return self.meta.resource_version


def parse_pool(body: JsonObject) -> PoolRecord:
    """A GenerationPool of the API server. A status that another release wrote and we cannot read counts as none."""
    meta = ObjectMeta.model_validate(body.get("metadata"))
    try:
        status = GenerationPoolStatus.model_validate(body.get("status") or {})
    except ValidationError:
        status = GenerationPoolStatus()
    readable: JsonObject = {key: value for key, value in body.items() if key != "status"}
    try:
        pool = GenerationPool.parse(readable).model_copy(update={"status": status})
    except InvalidManifest as error:
        return PoolRecord(meta, status, error=error)
    return PoolRecord(meta, status, pool=pool)
