"""From the ledger back into the task store: the end of each run, as its worker announced it. Pure."""

from __future__ import annotations

from dataclasses import replace

from genpool_core.ledger.records import EndRecord
from genpool_core.messages.announcements import ended_event
from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.change import Change, change_of


def change_of_end(end: EndRecord, pool: PoolRef) -> Change:
    """The change that the event of an end brought, under the same id: where the store has it, nothing changes."""
    change = change_of(ended_event(end, pool))
    if change is None:
        raise ValueError(f"the end of task {end.task_key} brings no change")
    # The event lacks what is secret in the callback's URL.
    return replace(change, end=end)
