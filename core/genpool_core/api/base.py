"""What all models of the object share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from genpool_core.jsontypes import JsonObject


class ApiModel(BaseModel):
    """A part of the GenerationPool: camelCase outside, snake_case inside, immutable, no unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


def rule(expression: str, message: str, **extra: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """One CEL rule for ``x-kubernetes-validations``; ``message`` says what to change."""
    return {"rule": expression, "message": message, **extra}


def rules(*items: dict[str, Any]) -> dict[str, Any]:
    """``json_schema_extra`` that carries CEL rules into the CRD."""
    return {"x-kubernetes-validations": list(items)}


#: A JSON object that Kubernetes itself validates when it becomes part of a pod.
PodFields = Annotated[JsonObject, Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class NameRef(ApiModel):
    """A reference to an object of the pool's own namespace."""

    name: ObjectName
    """Name of the object."""
