"""From what a task gives to the values of a workflow's parameters: names, types, bounds, defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, cast

from pydantic import Field, TypeAdapter, ValidationError

from genpool_core.errors import InvalidTask
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.workflow.spec import ParameterSchema, Scalar, WorkflowYaml

#: Seed of a task that gives none, as the workers do whose tasks must go on working.
DEFAULT_SEED = 42
_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


@dataclass(frozen=True)
class Bound:
    """Values of all parameters that have one; ``files`` names those whose value is a URL to be fetched."""

    values: Mapping[str, Scalar]
    files: tuple[str, ...]

    @property
    def seed(self) -> int | None:
        """The seed in force, of a workflow that has one."""
        seed = self.values.get("seed")
        return seed if isinstance(seed, int) else None


def bind(workflow: WorkflowYaml, given: JsonObject, explicit: frozenset[str]) -> Bound:
    """Check a task's values against the workflow's parameters.

    ``given`` holds candidates by name; a name among ``explicit`` must be a parameter of the workflow, others are left
    alone. None stands for "not given".

    Raises
    ------
    InvalidTask
        A name that the workflow does not have, a missing value, or a value out of its bounds.
    """
    unknown = sorted(explicit - workflow.parameters.keys())
    if unknown:
        known = ", ".join(sorted(workflow.parameters))
        raise InvalidTask(f"parameter {unknown[0]!r} is unknown to this workflow. It has: {known}.")
    values: dict[str, Scalar] = {}
    for name, parameter in workflow.parameters.items():
        raw = given.get(name)
        if raw is None:
            raw = parameter.value.default
        if raw is None and name == "seed":
            raw = DEFAULT_SEED
        if raw is None:
            if parameter.required:
                raise InvalidTask(f"{name} is missing: this workflow needs it.")
            continue
        values[name] = _checked(name, raw, parameter.value)
    files = tuple(
        name for name, parameter in workflow.parameters.items() if parameter.file and name in values
    )
    return Bound(values, files)


def _checked(name: str, raw: JsonValue, schema: ParameterSchema) -> Scalar:
    if isinstance(raw, bool) and schema.type in {"integer", "number"}:
        raise InvalidTask(f"{name} is a boolean: send {_expected(schema)}.")
    try:
        value = _adapter(schema.model_dump_json()).validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        shown = f" ({raw!r:.60})" if isinstance(raw, (int, float)) else ""
        raise InvalidTask(f"{name}{shown}: {first['msg']}. Send {_expected(schema)}.") from None
    if schema.enum is not None and value not in schema.enum:
        raise InvalidTask(f"{name}: not one of the allowed values. Send {_expected(schema)}.")
    return value


def _expected(schema: ParameterSchema) -> str:
    if schema.enum is not None:
        return "one of " + ", ".join(str(item) for item in schema.enum)
    what = {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
    }[schema.type]
    bounds = [
        f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}"
        for word, value in (
            ("of at least", schema.minimum),
            ("of at most", schema.maximum),
            ("that is a multiple of", schema.multiple_of),
            ("of at least so many characters:", schema.min_length),
            ("of at most so many characters:", schema.max_length),
        )
        if value is not None
    ]
    return " and ".join([f"{what} {bounds[0]}", *bounds[1:]]) if bounds else what


@lru_cache(maxsize=512)
def _adapter(schema_json: str) -> TypeAdapter[Scalar]:
    """A pydantic validator for a schema; numbers sent as text are read, as plain producers may send them."""
    schema = ParameterSchema.model_validate_json(schema_json)
    if schema.type == "string":
        limits = Field(min_length=schema.min_length, max_length=schema.max_length, pattern=schema.pattern)
    elif schema.type == "boolean":
        limits = Field()
    else:
        limits = Field(ge=schema.minimum, le=schema.maximum, multiple_of=schema.multiple_of)
    annotated = cast("type[Scalar]", Annotated[_TYPES[schema.type], limits])
    return TypeAdapter(annotated)
