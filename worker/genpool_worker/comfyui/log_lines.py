"""ComfyUI's last log lines about one prompt, for the end record. Pure.

ComfyUI keeps the last 300 writes to its output with the local time of its container, and no time zone. It writes
``got prompt`` for each prompt that it is sent: that write of ours tells the zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from genpool_core import egress_policy, timing
from genpool_core.one_line import one_line
from genpool_worker.comfyui_json import LogEntry

MOST_LINES = 20
MOST_CHARACTERS = 500
#: Longer lines are not searched for URLs to their end.
_SEARCHED = 4000
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>]+", re.IGNORECASE)
_DATA = re.compile(r"(data:[^,\s]{0,100},)\S+", re.IGNORECASE)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_QUARTER, _FARTHEST = 15, 26 * 60
_ZONE_STEP, _FARTHEST_ZONE = timedelta(minutes=_QUARTER), timedelta(minutes=_FARTHEST)
#: Our prompt may have arrived so long after it was posted.
_ARRIVAL = timedelta(seconds=timing.COMFYUI_SEND_SECONDS)


def lines_since(entries: Sequence[LogEntry], posted: datetime) -> list[str]:
    """The last lines that were written since a prompt was posted, without secrets in URLs."""
    timed = [(at, entry.m) for entry in entries if (at := _local(entry.t)) is not None]
    zone = _zone(timed, posted)
    text = "".join(written for at, written in timed if at >= posted + zone)
    # What stands before a carriage return was overwritten: a progress bar.
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    shown = [line for line in map(_shown, lines) if line.strip()]
    return shown[-MOST_LINES:]


def _local(text: str) -> datetime | None:
    """A time of ComfyUI's container, taken for UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _zone(timed: Sequence[tuple[datetime, str]], posted: datetime) -> timedelta:
    """How far the container's time zone is ahead of UTC, by the last ``got prompt`` that fits; else not at all."""
    for at, written in reversed(timed):
        lag = (at - posted) % _ZONE_STEP
        zone = at - posted - lag
        if written.startswith("got prompt") and lag < _ARRIVAL and abs(zone) < _FARTHEST_ZONE:
            return zone
    return timedelta()


def _shown(line: str) -> str:
    text = _ESCAPES.sub("", line[:_SEARCHED])
    text = _URL.sub(lambda found: egress_policy.redact(found[0]), text)
    text = _DATA.sub(r"\1…", text).rstrip()
    indent = len(text) - len(text.lstrip())
    return text[:indent] + one_line(text, MOST_CHARACTERS - indent) if indent < MOST_CHARACTERS else ""
