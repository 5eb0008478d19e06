"""One sentence for a pydantic error, for people who never heard of pydantic."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError


def first_fault(error: ValidationError, *, whole: str = "", named: Callable[[str], str] = str) -> str:
    """``field: what is wrong`` of the first fault, with no full stop; never the value, which may be a secret.

    ``named`` turns a field's path, such as ``brokers.0.port``, into the name that the reader knows it by. ``whole``
    stands for the field where the value as a whole is wrong; without it the sentence is only what is wrong.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    field = named(path) if path else whole
    # A ValueError raised on purpose is a sentence of ours; pydantic puts two words before it.
    message = first["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
