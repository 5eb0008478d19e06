"""Depths of all queues of a vhost, by one LIST."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from pydantic import Field

from genpool_adapters.management.api import ManagementApi
from genpool_core.loose import LooseModel
from genpool_operator.decide.reading import Listed

_COLUMNS = "?columns=name,type,state,messages,messages_ready,messages_unacknowledged"
#: For brokers without statistics. A quorum queue's zero means nothing here: it may come from a node that does not know.
_TOTALS = "?disable_stats=true&enable_queue_totals=true"
Figure = Annotated[int, Field(ge=0)]


class DepthRow(LooseModel):
    """A queue's depth. A figure that is absent is unknown; so is one that is no number, or less than nothing."""

    name: str = ""
    type: str = ""
    state: str | None = None
    messages: Figure | None = None
    messages_ready: Figure | None = None
    messages_unacknowledged: Figure | None = None


def read_listing(api: ManagementApi, vhost: str, needed: Collection[str], now: datetime) -> dict[str, Listed]:
    """Rows of the vhost's queues by name; asks for totals when a row of ``needed`` has no figures.

    Raises
    ------
    BrokerError
        Refused, or no answer.
    """
    rows = {row.name: row for row in api.rows(DepthRow, "queues", vhost, query=_COLUMNS)}
    if any(name in rows and rows[name].messages is None for name in needed):
        totals = {row.name: row for row in api.rows(DepthRow, "queues", vhost, query=_TOTALS)}
        rows = {name: _completed(row, totals.get(name)) for name, row in rows.items()}
    return {name: _listed(row, now) for name, row in rows.items()}


def _listed(row: DepthRow, now: datetime) -> Listed:
    return Listed(
        at=now,
        state=row.state,
        ready=row.messages_ready,
        unacked=row.messages_unacknowledged,
        total=row.messages,
    )


def _completed(row: DepthRow, totals: DepthRow | None) -> DepthRow:
    """A row without figures with those of the totals, where they can be believed."""
    if totals is None or row.messages is not None:
        return row
    believed = totals.type == "classic" or bool(totals.messages)
    known = {name: value for name, value in totals if value is not None}
    return row.model_copy(update=known) if believed else row
