"""What deletes contents of tasks, put together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpool_core import timing
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.dead_letters.erased import LettersOfErased
from genpool_gateway.dead_letters.work import DeadLetters
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.erasing.housekeeping import Housekeeping, Look
from genpool_gateway.erasing.keeper import PlaceKeeper
from genpool_gateway.erasing.retention import Retention
from genpool_gateway.erasing.unused import UnusedInputs
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.store.opening import TaskStore


@dataclass(frozen=True)
class Erasing:
    """The eraser for those who ask, and the thread for what has been kept long enough."""

    eraser: Eraser
    housekeeping: Housekeeping


def build_erasing(  # noqa: PLR0913 - what it is made of
    store: TaskStore,
    stores: Stores,
    pools: PoolSource,
    letters: DeadLetters,
    *,
    now: Callable[[], datetime],
    keep_seconds: float,
    also: Sequence[Look] = (),
) -> Erasing:
    """Put them together. Connects to nothing. ``also``: what else the thread does."""
    stopping = threading.Event()
    unused = UnusedInputs(store.loose, stores, now, stopping)
    eraser = Eraser(
        store.retention,
        store.places,
        store.loose,
        unused,
        pools,
        stores,
        now=now,
        elsewhere=[LettersOfErased(letters, pools, store.events, now)],
    )
    retention = Retention(
        store.retention, store.places, pools, eraser, now, keep_seconds=keep_seconds, stopping=stopping
    )
    looks = [
        Look("places", timing.HOUSEKEEPING_SECONDS, PlaceKeeper(pools, store.places, now).look),
        Look("retention", timing.RETENTION_LOOK_SECONDS, retention.look),
        Look("unused inputs", timing.RETENTION_LOOK_SECONDS, unused.look),
        *also,
    ]
    return Erasing(eraser, Housekeeping(looks, stopping))
