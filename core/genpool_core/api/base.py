"""What all models of the object share."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
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

#: As Kubernetes reads quantities; ``16GB`` is none, ``16G`` and ``16Gi`` are.
QUANTITY = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"


def _quantities(description: str) -> dict[str, Any]:
    """A schema: text must be a quantity, and a number always is one. A rule of CEL cannot see a value of two types."""
    quantity = {"x-kubernetes-preserve-unknown-fields": True, "pattern": QUANTITY}
    return {"type": "object", "description": description, "additionalProperties": quantity}


def _with_quantities(resources: JsonObject) -> JsonObject:
    for part in ("limits", "requests"):
        amounts = resources.get(part)
        for name, amount in amounts.items() if isinstance(amounts, dict) else ():
            if isinstance(amount, str) and not re.fullmatch(QUANTITY.strip("^$"), amount):
                raise ValueError(
                    f"{part}.{name}: {amount!r} is no quantity: write for example 16Gi or 16G, 500m, or a number"
                )
    return resources


#: ``resources`` of a container.
ResourceFields = Annotated[
    JsonObject,
    AfterValidator(_with_quantities),
    Field(
        json_schema_extra={
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {
                "limits": _quantities(
                    "Most that the container gets, each a quantity such as 16Gi, 500m or 1."
                ),
                "requests": _quantities("What a node must have free for it, each a quantity."),
            },
        }
    ),
]

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class NameRef(ApiModel):
    """A reference to an object of the pool's own namespace."""

    name: ObjectName
    """Name of the object."""
