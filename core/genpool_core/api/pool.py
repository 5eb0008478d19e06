"""The GenerationPool as the API server stores it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from genpool_core.api.spec import GenerationPoolSpec
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.validation import first_fault


class ObjectMeta(BaseModel):
    """The fields of ``metadata`` that the operator uses; others are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, validate_by_name=True)

    name: str
    namespace: str
    uid: str
    generation: int = 1
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class GenerationPool(BaseModel):
    """A pool: identity, what is wanted, what was seen."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, validate_by_name=True)

    api_version: Literal["genpool.dev/v1alpha1"] = "genpool.dev/v1alpha1"
    kind: Literal["GenerationPool"] = "GenerationPool"
    metadata: ObjectMeta
    spec: GenerationPoolSpec
    status: GenerationPoolStatus = GenerationPoolStatus()

    @classmethod
    def parse(cls, body: JsonObject) -> GenerationPool:
        """Read an object of the API server.

        Raises
        ------
        InvalidManifest
            The first fault of the spec, with its path. An API server that enforces the CRD lets none through;
            an older CRD may.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise InvalidManifest(first_fault(error)) from None
