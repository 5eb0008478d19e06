"""What a message may hold, and which headers travel with it when it is published again."""

from __future__ import annotations

import json

import pytest

from genpool_core.canonical import canonical_json
from genpool_core.errors import InvalidMessage
from genpool_core.messages.headers import theirs
from genpool_core.messages.task import parse_body


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b'{"prompt": "\\ud800"}', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", "64 levels"),
        (b'{"a": ' * 64 + b"{}" + b"}" * 64, "64 levels"),
        (b'{"a": [{"b": ' * 32 + b"1" + b"}]}" * 32, "64 levels"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "64 levels"),
        (b'{"a": 1e999}', "out of range"),
        (b'{"a": NaN}', "NaN"),
        (b"\xff\xfe", "not JSON"),
        (b"", "not JSON"),
        (b"[1]", "a list"),
    ],
)
def test_refused(raw: bytes, part: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse_body(raw)
    assert part in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        '{"prompt": "😀 日落 \\ud83d\\ude00", "n": 123456789012345678901234567890}'.encode(),
        b'{"a": ' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"a": ' * 63 + b"{}" + b"}" * 63,
    ],
    ids=["text", "as many lists as may be", "as many objects as may be"],
)
def test_what_is_accepted_can_be_written_again(raw: bytes) -> None:
    body = parse_body(raw)
    assert json.loads(canonical_json(body)) == body


def test_headers_that_the_broker_acts_on_do_not_travel() -> None:
    headers = {"CC": ["other"], "BCC": ["other"], "x-death": [], "x-genpool-attempt": 2, "trace": "abc"}
    assert theirs(headers) == {"trace": "abc"}
