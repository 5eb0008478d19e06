"""When a message was enqueued: what the broker or the producer wrote down, as far as it can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genpool_core.messages.amqp import Properties
from genpool_core.messages.arrival import enqueued_at

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AT = NOW - timedelta(seconds=90, milliseconds=250)
MS = int(AT.timestamp() * 1000)
SECONDS = int(AT.timestamp())


@pytest.mark.parametrize(
    ("headers", "timestamp", "expected"),
    [
        pytest.param({}, None, None, id="nothing tells"),
        pytest.param({"timestamp_in_ms": MS}, None, AT, id="the broker's interceptor"),
        pytest.param({"timestamp_in_ms": MS}, SECONDS, AT, id="both: the finer one"),
        pytest.param({}, SECONDS, AT.replace(microsecond=0), id="the property alone"),
        pytest.param(
            {"timestamp_in_ms": "soon"}, SECONDS, AT.replace(microsecond=0), id="a header that is none"
        ),
        pytest.param({"timestamp_in_ms": True}, None, None, id="a flag is no time"),
        pytest.param({"timestamp_in_ms": 5}, SECONDS, AT.replace(microsecond=0), id="older than AMQP"),
        pytest.param({}, 0, None, id="a producer that writes nothing"),
        pytest.param({}, MS, None, id="a producer that writes milliseconds"),
        pytest.param({}, 2**63, None, id="beyond all calendars"),
        pytest.param({"timestamp_in_ms": -(2**63)}, None, None, id="before all calendars"),
        pytest.param({}, int(NOW.timestamp()) + 60, NOW, id="a clock that is ahead a little"),
        pytest.param({}, int(NOW.timestamp()) + 3600, None, id="a clock that is wrong"),
    ],
)
def test_when_a_message_was_enqueued(
    headers: dict[str, object], timestamp: int | None, expected: datetime | None
) -> None:
    assert enqueued_at(headers, Properties(timestamp=timestamp), NOW) == expected
