"""What was found of one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from genpool_core.errors import GenPoolError

State = Literal["ok", "warn", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """``message`` says what is wrong and what to do, or what was found."""

    what: str
    state: State
    message: str


Check = Callable[[], Iterator[Finding]]


def run(what: str, check: Check) -> list[Finding]:
    """The findings of a check; what it stumbles over is one of them."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except GenPoolError as error:
        found.append(Finding(what, "wrong", error.message))
    return found
