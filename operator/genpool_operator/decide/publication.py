"""When to apply a Secret that the operator may not read: when it is another one, and again after a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_core.canonical import canonical_json, digest
from genpool_core.jsontypes import JsonObject


@dataclass(frozen=True)
class Publication:
    """What was applied last, and when."""

    fingerprint: str
    at: datetime


def published(manifest: JsonObject, now: datetime) -> Publication:
    """To be kept after an apply."""
    return Publication(digest(canonical_json(manifest)), now)


def is_due(manifest: JsonObject, last: Publication | None, now: datetime) -> bool:
    """Whether to apply a manifest now. An apply that changes nothing writes nothing, and mends what was deleted."""
    if last is None or last.fingerprint != published(manifest, now).fingerprint:
        return True
    return now - last.at >= timedelta(seconds=timing.SECRET_APPLY_SECONDS)
