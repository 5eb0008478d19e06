"""Server-sent events from the lines of a stream (WHATWG HTML, section 9.2). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """An event; ``id`` is empty where it is not stored."""

    name: str
    data: dict[str, Any]
    id: str = ""


def events_of(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events. One whose data is no JSON object is left out: a newer gateway may send what we do not know."""
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode(errors="replace")
        if text:
            name, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if name == "data" and "data" in fields:
                value = f"{fields['data']}\n{value}"
            fields[name] = value
            continue
        if (event := _event(fields)) is not None:
            yield event
        fields = {}


def _event(fields: dict[str, str]) -> Event | None:
    try:
        data = json.loads(fields.get("data", ""))
    except ValueError:
        return None
    return (
        Event(fields.get("event", "message"), data, fields.get("id", "")) if isinstance(data, dict) else None
    )
