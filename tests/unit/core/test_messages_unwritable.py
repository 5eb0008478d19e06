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
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "64 levels"),
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


def test_what_is_accepted_can_be_written_again() -> None:
    body = parse_body('{"prompt": "😀 日落 \\ud83d\\ude00", "n": 123456789012345678901234567890}'.encode())
    assert json.loads(canonical_json(body)) == body


def test_headers_that_the_broker_acts_on_do_not_travel() -> None:
    headers = {"CC": ["other"], "BCC": ["other"], "x-death": [], "x-genpool-attempt": 2, "trace": "abc"}
    assert theirs(headers) == {"trace": "abc"}
