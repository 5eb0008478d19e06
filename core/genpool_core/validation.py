"""One sentence for a pydantic error, for people who never heard of pydantic."""

from __future__ import annotations

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """``path: what is wrong`` of the first fault, without the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    # A ValueError raised on purpose is a sentence of ours; pydantic puts two words before it.
    message = first["msg"].removeprefix("Value error, ")
    return f"{path}: {message}" if path else message
