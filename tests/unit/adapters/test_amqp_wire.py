"""Whatever bytes a broker can deliver, a message arrives; and what arrived can be sent again."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime
from decimal import Decimal

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import frame

from genpool_adapters.amqp.fitting import fitted
from genpool_adapters.amqp.tolerant import read_frame
from genpool_adapters.amqp.values import from_pika
from genpool_adapters.amqp.wire import WireProperties, encode_pair, text_of
from support import amqp_wire as wire

MILLISECONDS = 1_795_000_000_000
BINARY = bytes(range(0xF0, 0x100))
SOME_INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63))


def read(*pairs: tuple[bytes, bytes], message_id: bytes | None = None) -> WireProperties:
    return WireProperties().decode(wire.properties(*pairs, message_id=message_id))


def written(headers: dict[str, object]) -> WireProperties:
    """What comes back when headers are sent and arrive."""
    return WireProperties().decode(b"".join(WireProperties(headers=headers).encode()))


BREAKS_PIKA = [
    (wire.timestamp(MILLISECONDS), MILLISECONDS),
    (wire.timestamp(2**64 - 1), 2**64 - 1),
    (wire.double(math.nan), "NaN"),
    (wire.double(math.inf), "Infinity"),
    (struct.pack(">cf", b"f", -math.inf), "-Infinity"),
]


@pytest.mark.parametrize(("field", "value"), BREAKS_PIKA)
def test_what_breaks_pika_arrives(field: bytes, value: object) -> None:
    found = read((b"before", b"V"), (b"odd", field), (b"after", wire.longstr(b"x")), message_id=b"m")
    assert found.headers == {"before": None, "odd": value, "after": "x"}
    assert (found.message_id, found.delivery_mode, found.unreadable) == ("m", 2, ())


@pytest.mark.parametrize("field", [field for field, _ in BREAKS_PIKA])
def test_pika_still_needs_this_module(field: bytes) -> None:
    """When this fails pika reads it: see whether ``wire`` and ``tolerant`` can go."""
    with pytest.raises((ValueError, OverflowError, OSError)):
        pika.BasicProperties().decode(wire.properties((b"odd", field)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (wire.double(0.75), 0.75),
        (struct.pack(">cf", b"f", 0.5), 0.5),
        (wire.timestamp(1_700_000_000), datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (wire.longstr(b"\xff\xfe"), b"\xff\xfe"),
        (b"x" + wire.sized(b"text"), b"text"),
        (b"D" + struct.pack(">Bi", 2, -1234), Decimal("-12.34")),
        (b"D" + struct.pack(">Bi", 255, 1), Decimal("1e-255")),
        (b"t\x01", True),
        (b"u" + b"\xff\xff", 65535),
        (b"s" + b"\xff\xff", -1),
        (b"b" + b"\xff", -1),
        (b"B" + b"\xff", 255),
        (b"i" + b"\xff" * 4, 2**32 - 1),
        (b"l" + b"\xff" * 8, -1),
        (b"F" + wire.table((b"a", b"A" + wire.sized(b"V" + wire.double(1.5)))), {"a": [None, 1.5]}),
    ],
)
def test_values_arrive_and_are_sent_again_as_they_were(field: bytes, value: object) -> None:
    found = read((b"key", field)).headers["key"]
    assert found == value
    assert type(found) is type(value)
    assert written({"key": found}).headers == {"key": value}


def test_an_unknown_type_costs_its_table_only() -> None:
    inner = wire.table((b"known", b"V"), (b"odd", b"?12"), (b"lost", b"V"))
    found = read((b"a", b"V"), (b"inner", b"F" + inner), (b"b", b"V"), message_id=b"m")
    assert found.headers == {"a": None, "inner": {"known": None}, "b": None}
    assert (found.unreadable, found.message_id) == (("inner.odd",), "m")


def test_an_unknown_type_in_an_array() -> None:
    found = read((b"list", b"A" + wire.sized(b"V?V")), (b"b", b"V"))
    assert (found.headers, found.unreadable) == ({"list": [None], "b": None}, ("list",))


def test_a_length_beyond_the_end() -> None:
    found = read((b"a", b"V"), (b"odd", b"S\xff\xff\xff\xff"), message_id=b"m")
    assert (found.headers, found.unreadable, found.message_id) == ({"a": None}, ("odd",), "m")


@pytest.mark.parametrize("kind", [b"A", b"F"])
def test_nesting_of_thousands_of_levels(kind: bytes) -> None:
    value = b"V"
    for _ in range(5000):
        value = kind + (wire.table((b"k", value)) if kind == b"F" else wire.sized(value))
    found = read((b"deep", value), (b"after", b"V"))
    assert found.headers.keys() == {"deep", "after"}
    assert len(found.unreadable) == 1
    assert found.unreadable[0].startswith("deep")
    assert written(found.headers).headers == found.headers


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"task-1", "task-1"),
        ("人物".encode(), "人物"),
        (BINARY, "0xf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
        (b"\xff" * 255, text_of(b"\xff" * 255)),
    ],
)
def test_a_binary_id_is_a_stable_text_that_travels(raw: bytes, text: str) -> None:
    found = from_pika(read(message_id=raw))
    assert found.message_id == text
    again = WireProperties().decode(b"".join(WireProperties(message_id=text).encode()))
    assert again.message_id == text


def test_a_binary_key_is_text() -> None:
    found = read((b"\xff\x00", b"V"), (b"trace", b"V"))
    assert found.headers == {"0xff00": None, "trace": None}


@given(st.binary(max_size=400))
def test_no_bytes_can_break_the_reader(raw: bytes) -> None:
    WireProperties().decode(raw)


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_no_table_can_break_the_reader_and_what_was_read_can_be_sent(raw: bytes, rest: bytes) -> None:
    flags = struct.pack(">H", wire.HEADERS | wire.MESSAGE_ID)
    found = WireProperties().decode(flags + wire.sized(raw) + rest)
    sent, _ = fitted(WireProperties(headers=found.headers), 131_072)
    assert written(sent.headers or {}).headers == (sent.headers or {})


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(SOME_INTEGERS),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.binary().filter(lambda raw: not _is_utf8(raw)),
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)).map(  # noqa: DTZ001 - made aware
        lambda found: found.replace(microsecond=0, tzinfo=UTC)
    ),
)
KEYS = st.text(max_size=60)
TABLES = st.dictionaries(
    KEYS,
    st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8),
    max_size=5,
)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(TABLES)
def test_what_is_written_arrives(headers: dict[str, object]) -> None:
    found = written(headers)
    assert found.headers == headers
    assert found.unreadable == ()


# Frames -------------------------------------------------------------------------------------------------------------


def header_frame(raw: bytes) -> bytes:
    payload = struct.pack(">HHQ", 60, 0, 7) + raw
    return struct.pack(">BHI", 2, 3, len(payload)) + payload + b"\xce"


def test_a_header_frame_is_read_here_and_everything_else_by_pika() -> None:
    raw = header_frame(wire.properties((b"at", wire.timestamp(MILLISECONDS))))
    size, found = read_frame(raw + b"rest")
    assert size == len(raw)
    assert (found.channel_number, found.body_size) == (3, 7)
    assert found.properties.headers == {"at": MILLISECONDS}
    body = frame.Body(1, b"x").marshal()
    size, found = read_frame(body)
    assert (size, found.fragment) == (len(body), b"x")


def test_a_frame_that_is_not_whole_waits() -> None:
    raw = header_frame(wire.properties((b"at", wire.timestamp(MILLISECONDS))))
    assert {read_frame(raw[:end]) for end in range(len(raw))} == {(0, None)}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2**31 - 1, b"I"),
        (-(2**31), b"I"),
        (2**31, b"l"),
        (-(2**31) - 1, b"l"),
        (2**63 - 1, b"l"),
        (-(2**63), b"l"),
        (Decimal("1e-255"), b"D"),
        (Decimal("-21474836.48"), b"D"),
        (Decimal(2**31 - 1), b"D"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), b"T"),
        ("x" * 256, b"S"),
    ],
)
def test_each_type_reaches_to_its_end(value: object, kind: bytes) -> None:
    encoded = encode_pair("k", value)
    assert encoded[2:3] == kind
    assert written({"k": value}).headers == {"k": value}


@pytest.mark.parametrize(
    "value",
    [
        *(2**63, -(2**63) - 1, math.nan, math.inf),
        *(Decimal("NaN"), Decimal("1e-256"), Decimal(2**31), Decimal("-21474836.49")),
        *(object(), {"a": 2**63}, [object()]),
    ],
)
def test_beyond_its_end_nothing_is_written(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_pair("k", value)
    sent, left_out = fitted(WireProperties(headers={"k": value, "good": 1}), 0)
    assert left_out == ("k",)
    assert sent.headers == {"good": 1, "x-genpool-left-out": "k"}


@pytest.mark.parametrize(("size", "fits"), [(255, True), (256, False)])
def test_a_short_text_has_at_most_255_bytes(size: int, *, fits: bool) -> None:
    sent, left_out = fitted(WireProperties(message_id="x" * size, headers={"y" * size: 1}), 0)
    assert (sent.message_id is not None) == fits
    assert ("message_id" in left_out) != fits
    assert (f"{'y' * size}" in (sent.headers or {})) == fits
    raw = bytes([0xFF]) * 85
    assert len(text_of(raw)) <= 255
