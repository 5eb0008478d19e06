"""A parameter's JSON Schema, of the keywords that workflows use, and the check of a value against it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import SchemaError

from genpool_core.errors import InvalidTask
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.shown import shown
from genpool_core.validation import first_fault

Scalar = str | int | float | bool
_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


class Strict(BaseModel):
    """A part of ``workflow.yaml``: camelCase outside, immutable, no unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class ParameterSchema(Strict):
    """JSON Schema of a parameter, of the keywords listed here."""

    type: Literal["string", "integer", "number", "boolean"]
    """JSON type."""
    description: str | None = None
    """For people."""
    default: Scalar | None = None
    """Value when a task gives none."""
    enum: Annotated[list[Scalar], Field(min_length=1)] | None = None
    """Allowed values."""
    minimum: float | int | None = None
    """Smallest number."""
    maximum: float | int | None = None
    """Largest number."""
    multiple_of: Annotated[int, Field(ge=1)] | None = None
    """The number is a multiple of this."""
    min_length: Annotated[int, Field(ge=0)] | None = None
    """Shortest text."""
    max_length: Annotated[int, Field(ge=0)] | None = None
    """Longest text."""
    pattern: str | None = None
    """Regular expression that the text contains; the dialect of Rust, which has no look-around."""

    @property
    def json_schema(self) -> JsonObject:
        """As JSON Schema writes it; what is absent is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @model_validator(mode="after")
    def _consistent(self) -> ParameterSchema:
        """A schema whose own default it refuses would refuse every task; it is found when the file is read."""
        for low, high in ((self.minimum, self.maximum), (self.min_length, self.max_length)):
            if low is not None and high is not None and low > high:
                raise ValueError(f"no value can be at least {low} and at most {high}")
        try:
            _adapter_for(self)
        except SchemaError as error:
            why = str(error).splitlines()[-1]
            raise ValueError(f"pattern is not a usable regular expression: {why}") from None
        for keyword, raw in [("default", self.default), *(("enum", item) for item in self.enum or [])]:
            if raw is not None:
                try:
                    check_value(keyword, raw, self)
                except InvalidTask as error:
                    raise ValueError(error.message) from None
        return self


def check_value(name: str, raw: JsonValue, schema: ParameterSchema) -> Scalar:
    """``raw`` as the schema's type. Numbers sent as text are read, as plain producers may send them.

    Raises
    ------
    InvalidTask
        It is of another type or out of bounds; the sentence says what to send for ``name``.
    """
    if isinstance(raw, bool) and schema.type in {"integer", "number"}:
        raise _refused(name, raw, schema, f"{name} is a boolean: send {_expected(schema)}.")
    if isinstance(raw, str) and "_" in raw and schema.type in {"integer", "number"}:
        # Python reads 1_000 as a thousand; nobody else does.
        raise _refused(
            name, raw, schema, f"{name} is no number: send {_expected(schema)}, without underscores."
        )
    try:
        value = _adapter_for(schema).validate_python(raw)
    except ValidationError as error:
        # A number is shown on purpose: it is no secret, and tells which of two mistakes was made.
        number = f" ({raw!r:.60})" if isinstance(raw, (int, float)) else ""
        sentence = f"{name}{number}: {first_fault(error)}. Send {_expected(schema)}."
        raise _refused(name, raw, schema, sentence) from None
    if schema.enum is not None and value not in schema.enum:
        sentence = f"{name}: not one of the allowed values. Send {_expected(schema)}."
        raise _refused(name, raw, schema, sentence)
    return value


def _refused(name: str, raw: JsonValue, schema: ParameterSchema, sentence: str) -> InvalidTask:
    return InvalidTask(sentence, parameter=name, expected=schema.json_schema, sent=shown(raw))


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
            ("that fits the regular expression", schema.pattern),
        )
        if value is not None
    ]
    return " and ".join([f"{what} {bounds[0]}", *bounds[1:]]) if bounds else what


def _adapter_for(schema: ParameterSchema) -> TypeAdapter[Scalar]:
    numbers = (schema.minimum, schema.maximum, schema.multiple_of)
    return _adapter(schema.type, *numbers, schema.min_length, schema.max_length, schema.pattern)


@lru_cache(maxsize=512, typed=True)
def _adapter(  # noqa: PLR0913, PLR0917 - the keywords of a schema, which make the key of the cache
    kind: str,
    minimum: float | None,
    maximum: float | None,
    multiple_of: int | None,
    min_length: int | None,
    max_length: int | None,
    pattern: str | None,
) -> TypeAdapter[Scalar]:
    """A pydantic validator for a type and its bounds."""
    if kind == "string":
        limits = Field(min_length=min_length, max_length=max_length, pattern=pattern)
    elif kind == "boolean":
        limits = Field()
    else:
        limits = Field(ge=minimum, le=maximum, multiple_of=multiple_of, allow_inf_nan=False)
    annotated = cast("type[Scalar]", Annotated[_TYPES[kind], limits])
    return TypeAdapter(annotated)
