"""Events from lines, as a gateway sends them and as it never should."""

from __future__ import annotations

import pytest

from genpool_cli.client.sse import Event, events_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("retry: 2000\n\n", [], id="a time to wait is no event"),
        pytest.param(": still here\n\n", [], id="nor is a comment"),
        pytest.param(
            'event: progress\ndata: {"value":0.5}\n\n', [Event("progress", {"value": 0.5})], id="passing"
        ),
        pytest.param(
            'id: 3\nevent: status\ndata: {"a":1}\n\n', [Event("status", {"a": 1}, "3")], id="stored"
        ),
        pytest.param('data: {"a":\ndata: 1}\n\n', [Event("message", {"a": 1})], id="data in two lines"),
        pytest.param('event:log\ndata:{"a":1}\n\n', [Event("log", {"a": 1})], id="without a space"),
        pytest.param(
            'event: x\ndata: [1]\n\ndata: {"a":1}\n\n', [Event("message", {"a": 1})], id="no object"
        ),
        pytest.param('data: {"a":1}\n', [], id="cut off before its end"),
        pytest.param("data: {\n\n", [], id="no JSON"),
    ],
)
def test_events(text: str, expected: list[Event]) -> None:
    assert list(events_of(line.encode() for line in text.split("\n")[:-1])) == expected
