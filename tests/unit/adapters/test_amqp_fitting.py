"""What of a message is left out when it is sent, and that it says so."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_adapters.amqp.fitting import fitted
from genpool_adapters.amqp.wire import WireProperties
from genpool_core.messages import headers

FRAME_MAX = 131_072


def size(properties: WireProperties) -> int:
    """Of the whole frame."""
    return 8 + 12 + len(b"".join(properties.encode()))


@pytest.mark.parametrize(
    ("value", "travels"),
    [
        (0.75, True),
        ({"deep": [1, {"a": 0.5}]}, True),
        (2**63, False),
        ([1, 2**64 - 1], False),
        (float("nan"), False),
        ("\ud800", False),
        (object(), False),
    ],
)
def test_what_amqp_does_not_have_is_left_out_and_named(value: Any, *, travels: bool) -> None:  # noqa: ANN401
    given = WireProperties(headers={"odd": value, "trace": "x"}, message_id="m", priority=3)
    sent, left_out = fitted(given, FRAME_MAX)
    assert (sent.message_id, sent.priority) == ("m", 3)
    if travels:
        assert (sent.headers, left_out) == ({"odd": value, "trace": "x"}, ())
    else:
        assert (sent.headers, left_out) == ({"trace": "x", headers.LEFT_OUT: "odd"}, ("odd",))
    assert b"".join(sent.encode())


def test_a_property_that_cannot_be_sent_is_left_out_and_named() -> None:
    sent, left_out = fitted(WireProperties(type="t" * 300, message_id="m", priority=300), FRAME_MAX)
    assert left_out == ("priority", "type")
    assert (sent.type, sent.priority, sent.message_id) == (None, None, "m")
    assert sent.headers == {headers.LEFT_OUT: "priority, type"}


def test_headers_that_would_break_the_frame_are_left_out_the_largest_first() -> None:
    ours = {headers.REASON: "InvalidTask", headers.MESSAGE: "m" * 1000}
    theirs = {"small": "s" * 100, "large": "l" * 70_000, "larger": "l" * 60_900}
    sent, left_out = fitted(WireProperties(headers={**theirs, **ours}), FRAME_MAX)
    assert left_out == ("large",)
    assert sent.headers == {
        "small": theirs["small"],
        "larger": theirs["larger"],
        **ours,
        headers.LEFT_OUT: "large",
    }
    assert size(sent) < FRAME_MAX


def test_many_headers_are_named_within_bounds() -> None:
    given: dict[str, object] = {f"header-{number:04}": "x" * 1000 for number in range(400)}
    sent, left_out = fitted(WireProperties(headers=given), FRAME_MAX)
    assert 250 < len(left_out) < 300
    note = sent.headers[headers.LEFT_OUT]
    assert len(note.encode()) <= 1000
    assert note.endswith("…")
    assert size(sent) < FRAME_MAX


def test_without_a_limit_everything_is_sent() -> None:
    sent, left_out = fitted(WireProperties(headers={"large": "x" * 200_000}), 0)
    assert (sent.headers.keys(), left_out) == ({"large"}, ())


def test_a_note_of_an_earlier_copy_stays() -> None:
    given: dict[str, object] = {headers.LEFT_OUT: "first", "odd": 2**63}
    sent, _ = fitted(WireProperties(headers=given), FRAME_MAX)
    assert sent.headers == {headers.LEFT_OUT: "first, odd"}
