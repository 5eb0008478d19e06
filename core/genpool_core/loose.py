"""JSON whose shape somebody else owns, read into models without a fault.

Kubernetes, RabbitMQ, ComfyUI and its nodes may leave fields out, send null, or send another type. A field that does
not fit gets its default and hides nothing beside it. Types are strict: a bool is no number, and neither is ``"3"``.

pydantic-core falls back by itself (``on_error`` of its schema with a default), so a field costs no call of Python:
lists of a thousand objects are read every few seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, Strict, model_validator
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


class _LeftOut:
    """Leaves an item that does not fit out of its array or object."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), on_error="omit")


# JSON's array is a list, and a list is no tuple where types are strict: hence the exception.
Items = Annotated[tuple[Annotated[T, _LeftOut()], ...], Strict(strict=False)]
"""A JSON array. Items that do not fit are left out."""
Entries = dict[str, Annotated[T, _LeftOut()]]
"""A JSON object with keys of any name. Values that do not fit are left out, with their keys."""


class LooseModel(BaseModel):
    """A JSON object. Unknown fields are ignored; a field that is absent, null or of another type gets its default.

    A validator of a field may raise whatever it likes: the field gets its default. Every field needs a default; a
    class with a field that has none is refused with TypeError.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    @classmethod
    def read_object(cls, value: object) -> Self:
        """Read an object; where the value is none, every field has its default."""
        return cls.model_validate(value) if isinstance(value, dict) else cls()

    @classmethod
    def read_list(cls, value: object) -> list[Self]:
        """Read an array of objects. Items that are no objects are left out; a value that is no array has no items."""
        items = value if isinstance(value, list) else []
        return [cls.model_validate(item) for item in items if isinstance(item, dict)]

    @classmethod
    def read_map(cls, value: object) -> dict[str, Self]:
        """Read an object of objects. Values that are no objects are left out; a value that is none has no entries."""
        entries = value if isinstance(value, dict) else {}
        return {key: cls.model_validate(item) for key, item in entries.items() if isinstance(item, dict)}

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let each field fall back to its default."""
        schema: Any = handler.resolve_ref_schema(handler(source))
        model = schema
        while "fields" not in model:
            model = model["schema"]
        for name, field in model["fields"].items():
            if field["schema"]["type"] != "default":
                raise TypeError(f"{cls.__name__}.{name} needs a default, since it may be absent")
            field["schema"]["on_error"] = "default"
        return schema  # type: ignore[no-any-return]


class LooseArray(LooseModel):
    """A JSON array whose positions have a meaning, as an item of ``Items``: its fields in their order.

    Positions beyond the last field are ignored; fields beyond the last position get their default. Our own code makes
    one with the fields' names.
    """

    @model_validator(mode="before")
    @classmethod
    def _by_position(cls, value: object) -> object:
        return dict(zip(cls.model_fields, value, strict=False)) if isinstance(value, list) else value
