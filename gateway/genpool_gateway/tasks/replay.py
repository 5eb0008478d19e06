"""The beginning of a new run of a task that has ended. Pure."""

from __future__ import annotations

from datetime import datetime

from genpool_core import identity
from genpool_core.identity import TaskRef
from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.change import Change


def accepted_again(pool: PoolRef, ref: TaskRef, now: datetime) -> Change:
    """The change that a replay brings. ``ref``: with the new run."""
    return Change(
        id=identity.accepted_event_id(ref.key, ref.run),
        type="accepted",
        task=ref.key,
        task_id=ref.task_id,
        pool=pool,
        run=ref.run,
        attempt=0,
        time=now,
        data={"run": ref.run, "attempt": 0},
    )
