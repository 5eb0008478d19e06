"""One rule that ties times together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """An inequality in Python over names of ``genpool_core.timing``, and why it must hold."""

    holds: str
    why: str
