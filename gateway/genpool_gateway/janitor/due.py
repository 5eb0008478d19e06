"""How many ends are due and not there yet, as a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from genpool_core.errors import TaskStoreError
from genpool_gateway.tasks.ports import UnendedStore


@dataclass(frozen=True)
class DueEnds:
    """Counts them. ``show``: given the number, or None where the task store does not tell it."""

    store: UnendedStore
    now: Callable[[], datetime]
    show: Callable[[int | None], None]

    def look(self) -> None:
        """Count once."""
        try:
            self.show(self.store.count_unended(self.now()))
        except TaskStoreError:
            # Readiness tells of it, and so does everybody else who asks.
            self.show(None)
