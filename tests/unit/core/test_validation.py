"""One sentence for what pydantic found, in each form that a caller needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from genpool_core.validation import first_fault

TOLD = "s3cr3t"


class Part(BaseModel):
    port: Annotated[int, Field(ge=1)] = 1
    colour: str = "red"
    password: Annotated[SecretStr, Field(min_length=8)] = SecretStr("long enough")

    @field_validator("colour")
    @classmethod
    def _known(cls, value: str) -> str:
        if value != "red":
            raise ValueError("must be red")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Part:
        if self.port == 13:
            raise ValueError("red needs another port")
        return self


class Whole(BaseModel, extra="forbid"):
    parts: list[Part]


def environment(path: str) -> str:
    return f"environment variable GENPOOL_{path.upper()}"


@pytest.mark.parametrize(
    ("kind", "raw", "form", "sentence"),
    [
        # Where and what; the field of a list by its index.
        (Whole, {}, {}, "parts: Field required"),
        (
            Whole,
            {"parts": [{}, {"port": 0}]},
            {},
            "parts.1.port: Input should be greater than or equal to 1",
        ),
        (Whole, {"parts": [], "colour": TOLD}, {}, "colour: Extra inputs are not permitted"),
        # A sentence of ours stands as it was written.
        (Part, {"colour": TOLD}, {}, "colour: must be red"),
        # The first of several.
        (
            Part,
            {"port": TOLD, "colour": TOLD},
            {},
            "port: Input should be a valid integer, unable to parse string as an integer",
        ),
        # No field: the message alone, or what the caller calls the whole.
        (Part, {"port": 13}, {}, "red needs another port"),
        (Part, {"port": 13}, {"whole": "the part"}, "the part: red needs another port"),
        (int, TOLD, {}, "Input should be a valid integer, unable to parse string as an integer"),
        (
            Whole,
            None,
            {"whole": "the file"},
            "the file: Input should be a valid dictionary or instance of Whole",
        ),
        # A field as its reader knows it; the whole keeps its own name.
        (Whole, {}, {"named": environment}, "environment variable GENPOOL_PARTS: Field required"),
        (Part, {"port": 13}, {"named": environment}, "red needs another port"),
        (
            Whole,
            {},
            {"named": environment, "whole": "w"},
            "environment variable GENPOOL_PARTS: Field required",
        ),
        # What was given is not told, whether it is marked as a secret or not.
        (
            Part,
            {"password": TOLD},
            {},
            "password: Value should have at least 8 items after validation, not 6",
        ),
    ],
)
def test_a_fault_in_one_sentence(
    kind: type[object], raw: object, form: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(raw)
    assert first_fault(caught.value, **form) == sentence
    assert TOLD not in sentence


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (f'{{"parts": {TOLD}', Whole.model_validate_json),
        (f'{{"parts": [{{"port": "{TOLD}"}}]}}', Whole.model_validate_json),
    ],
)
def test_a_text_that_cannot_be_read_is_not_shown(text: str, check: Callable[[str], Whole]) -> None:
    with pytest.raises(ValidationError) as caught:
        check(text)
    assert TOLD in str(caught.value), "pydantic's own text shows it"
    assert TOLD not in first_fault(caught.value)
