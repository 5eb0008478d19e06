"""The resync: lists pools, Deployments and pods anew, since a watch can lose an event."""

from __future__ import annotations

import time
from collections.abc import Callable

from genpool_core import timing
from genpool_operator.handlers.periodic import PeriodicThread


class Resync:
    """``list_all`` lists everything, then ``on_synced`` reconciles all pools; both every ``seconds``.

    A list that failed is tried again after ``timing.RESYNC_RETRY_SECONDS``.
    """

    def __init__(self, list_all: Callable[[], None], on_synced: Callable[[], None], seconds: float) -> None:
        self._list_all = list_all
        self._on_synced = on_synced
        self._seconds = seconds
        self._due_at = 0.0
        self.thread = PeriodicThread(
            "resync", self.step, timing.TICK_SECONDS, events=("resync_failed", "resync_crashed")
        )

    def step(self) -> None:
        """List everything if it is due. Raises ClusterError."""
        now = time.monotonic()
        if now < self._due_at:
            return
        self._due_at = now + timing.RESYNC_RETRY_SECONDS
        self._list_all()
        self._due_at = now + self._seconds
        self._on_synced()
