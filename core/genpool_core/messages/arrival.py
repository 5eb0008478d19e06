"""When a message came into the broker, as far as it says so itself. Pure.

Two may have written that down: the broker's interceptor (``message_interceptors.incoming.set_header_timestamp``), in
the header ``timestamp_in_ms`` and in the property ``timestamp``; or the producer, in the property alone. Copies of a
message keep both, so that a task that was retried still tells when it came first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from genpool_core import timing
from genpool_core.messages.amqp import Properties

INTERCEPTOR = "timestamp_in_ms"
#: A clock may be ahead so far; what is later is no time of an arrival, and neither is what is older than AMQP.
_AHEAD = timedelta(seconds=timing.SENDER_CLOCK_SECONDS)
_EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)


def enqueued_at(headers: Mapping[str, object], properties: Properties, now: datetime) -> datetime | None:
    """When it was enqueued; None where nothing tells, or what tells cannot be."""
    milliseconds = headers.get(INTERCEPTOR)
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool):
        found = _time(milliseconds / 1000, now)
        if found is not None:
            return found
    return None if properties.timestamp is None else _time(properties.timestamp, now)


def _time(seconds: float, now: datetime) -> datetime | None:
    if not _EARLIEST.timestamp() <= seconds <= (now + _AHEAD).timestamp():
        return None
    return min(datetime.fromtimestamp(seconds, UTC), now)
