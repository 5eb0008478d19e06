"""From the ledger back into the task store: the end of each run, as its worker announced it. Pure."""

from __future__ import annotations

from genpool_core import identity
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.change import Change


def change_of_end(end: EndRecord, pool: PoolRef) -> Change:
    """The change that the event of an end brought, under the same id: where the store has it, nothing changes."""
    return Change(
        id=identity.end_id(end.task_key, end.run),
        type="ended",
        task=end.task_key,
        task_id=end.task_id,
        pool=pool,
        run=end.run,
        attempt=end.attempt,
        time=end.ended_at,
        data={
            "run": end.run,
            "attempt": end.attempt,
            "outcome": end.outcome,
            "reason": end.reason,
            "message": end.message,
        },
        worker=end.worker or None,
        workflow=end.workflow,
        end=end,
    )
