"""Where contents of a task may lie. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_core.tasks.uploads import upload_key, upload_values
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.tasks.places import LooseInput, PoolPlace
from genpool_gateway.tasks.record import TaskRecord

_MARGIN = timedelta(seconds=timing.PLACE_MARGIN_SECONDS)


def places_of(
    record: TaskRecord, known: Sequence[PoolPlace], current: StoreConfig | None
) -> list[StoreConfig]:
    """The pool's bucket, and those that it had while the task was there; none where nothing is known.

    ``known``: all that the pool was seen with, the last one first. ``current``: the one of this moment; None where the
    pool is gone. Workers of the spec before may go on for a while, so a place counts a little longer than it was seen;
    and what was before the first one was seen is not known, so that one counts from the beginning.
    """
    found = [] if current is None else [current]
    first = min((place.first_seen for place in known), default=None)
    for number, place in enumerate(known):
        newest = number == 0 and current is None
        began = (
            place.first_seen == first
            or record.ended_at is None
            or place.first_seen - _MARGIN <= record.ended_at
        )
        if newest or (began and place.last_seen + _MARGIN >= record.created_at):
            found.append(place.store)
    unique: dict[tuple[str | None, str, str], StoreConfig] = {}
    for store in found:
        unique.setdefault((*store.address, store.prefix), store)
    return list(unique.values())


def uploads_of(record: TaskRecord, store: StoreConfig, at: datetime) -> list[LooseInput]:
    """The uploads that a task names, as objects of a bucket that were made at this time."""
    owner = record.owner
    if owner is None:
        return []
    found = (
        (value, upload_key(value, prefix=store.prefix, owner=owner))
        for value in upload_values(record.parameters)
    )
    return [LooseInput(store, key, at, upload=value, owner=owner) for value, key in found if key is not None]
