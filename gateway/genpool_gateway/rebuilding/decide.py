"""Whether events were lost, and whose ledgers are to be read for it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

#: Part of its limit from which an events queue counts as full. It drops its oldest events at the limit, is drained
#: meanwhile, and is looked at now and then; a rebuild that was not needed changes nothing.
FULL_SHARE = 0.9


def is_full(count: int, most: int) -> bool:
    """Whether a queue with so many events has dropped some, or is about to."""
    return count >= FULL_SHARE * most


def due(lost: Mapping[str, datetime], full: Collection[str]) -> list[str]:
    """UIDs of the pools whose ledgers are to be read now, what has waited longest first.

    ``lost``: until when each lost events. ``full``: pools whose events queue is full still, so that more may be lost:
    they are read when it is not any more, once.
    """
    return sorted((uid for uid in lost if uid not in full), key=lambda uid: (lost[uid], uid))
