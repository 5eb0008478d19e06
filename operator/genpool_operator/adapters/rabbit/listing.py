"""Depths of all queues of a vhost, by one LIST."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from genpool_adapters.management.api import ManagementApi
from genpool_core.jsontypes import JsonObject
from genpool_operator.decide.reading import Listed

_COLUMNS = "?columns=name,type,state,messages,messages_ready,messages_unacknowledged"
#: For brokers without statistics. A quorum queue's zero means nothing here: it may come from a node that does not know.
_TOTALS = "?disable_stats=true&enable_queue_totals=true"


def read_listing(api: ManagementApi, vhost: str, needed: Collection[str], now: datetime) -> dict[str, Listed]:
    """Rows of the vhost's queues by name; asks for totals when a row of ``needed`` has no figures.

    Raises
    ------
    BrokerError
        Refused, or no answer.
    """
    rows = {str(row.get("name")): row for row in api.rows("queues", vhost, query=_COLUMNS)}
    if any(name in rows and _number(rows[name], "messages") is None for name in needed):
        totals = {str(row.get("name")): row for row in api.rows("queues", vhost, query=_TOTALS)}
        rows = {name: _completed(row, totals.get(name)) for name, row in rows.items()}
    return {name: parse_row(row, now) for name, row in rows.items()}


def parse_row(row: JsonObject, now: datetime) -> Listed:
    """One row."""
    state = row.get("state")
    return Listed(
        at=now,
        state=state if isinstance(state, str) else None,
        ready=_number(row, "messages_ready"),
        unacked=_number(row, "messages_unacknowledged"),
        total=_number(row, "messages"),
    )


def _completed(row: JsonObject, totals: JsonObject | None) -> JsonObject:
    if totals is None or _number(row, "messages") is not None:
        return row
    believed = totals.get("type") == "classic" or bool(_number(totals, "messages"))
    return {**row, **totals} if believed else row


def _number(row: JsonObject, key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
