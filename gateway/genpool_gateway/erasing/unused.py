"""Deletes inputs that no task uses: uploads that were never named, and what came inside tasks that came to nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from genpool_adapters.told_once import ToldOnce
from genpool_core import timing
from genpool_gateway.pools.errors import BucketNotListed
from genpool_gateway.pools.ports import PoolBuckets
from genpool_gateway.tasks.places import LooseInput, LooseInputs

_log = structlog.get_logger(__name__)
#: Objects in one go.
GROUP = 500
#: Such goes for each bucket in one look.
MOST_GROUPS = 20


class UnusedInputs:
    """Looks through what this gateway's store knows to have been put; what it does not know is left alone.

    What a task uses is that task's from then on, and goes with its contents. Several gateways may look: what one has
    deleted is deleted.
    """

    def __init__(
        self,
        loose: LooseInputs,
        buckets: PoolBuckets,
        now: Callable[[], datetime],
        stopping: threading.Event | None = None,
    ) -> None:
        self._loose = loose
        self._buckets = buckets
        self._now = now
        self._stopping = stopping or threading.Event()
        self._told = ToldOnce("unused_inputs_wait")

    def look(self) -> None:
        """Delete what is due. What fails is told once and tried again at the next look."""
        before = self._now() - timedelta(seconds=timing.UNUSED_INPUT_SECONDS)
        places: list[tuple[str | None, str]] = []
        with self._told.of("task store"):
            places = self._loose.places(before=before)
        for place in places:
            with self._told.of(f"bucket {place[1]}"):
                self._bucket(place, before)

    def settle(self, inputs: Sequence[LooseInput]) -> None:
        """Delete those of these inputs of one bucket that no task uses; the others are their tasks'.

        Raises
        ------
        BucketNotListed, SettingsError, StorageError, TaskStoreError
            It is done at a later look.
        """
        used = self._loose.used(inputs)
        unused = [each for each in inputs if each.key not in used]
        if unused:
            place = unused[0].store
            bucket = self._buckets.of(place)
            if bucket is None:
                raise BucketNotListed.of(place, "inputs that no task uses are not deleted")
            bucket.delete([each.key for each in unused])
            _log.info("unused_inputs_deleted", store=str(place), objects=len(unused))
        self._loose.forget(inputs)

    def _bucket(self, place: tuple[str | None, str], before: datetime) -> None:
        for _ in range(MOST_GROUPS):
            due = self._loose.due(place, before=before, limit=GROUP)
            if not due or self._stopping.is_set():
                return
            self.settle(due)
