"""Properties of a message as bytes, read without ever failing and written without loss.

Pika's own reader (1.4.4) raises on a timestamp beyond the year 9999, on a NaN, and on a type of field that it does
not know: the connection breaks, RabbitMQ delivers the message again, and so on for ever. It cuts floats to whole
numbers, and returns bytes for short strings that are not UTF-8. Here a message always arrives:

============================================  ==========================================================
on the wire                                   in Python
============================================  ==========================================================
short string, key, not UTF-8                  text: ``0x`` and its bytes in hexadecimal, or ``sha256:…`` of a long one
long string, not UTF-8                        bytes
timestamp beyond the year 9999                a whole number
``NaN``, ``Infinity``                         that word, as text
a type that nobody knows, more than 32 levels left out, and named in ``unreadable``
============================================  ==========================================================
"""

from __future__ import annotations

import calendar
import hashlib
import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pika

_MAX_DEPTH = 32
_SHORT_MAX = 255
_LATEST = 253_402_300_799
"""23:59:59 on the last day of 9999, which is Python's last."""
_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)
#: Formats of the types whose length is fixed. ``L`` and ``l`` are both signed, as RabbitMQ has them.
_FIXED = {
    b"t": ">?", b"b": ">b", b"B": ">B", b"s": ">h", b"U": ">h", b"u": ">H", b"I": ">i", b"i": ">I",
    b"l": ">q", b"L": ">q", b"f": ">f", b"d": ">d", b"T": ">Q",
}  # fmt: skip
#: AMQP's properties in their order, each with the bit that says that it is there.
_FIELDS = tuple(
    (name, 1 << (15 - place), kind)
    for place, (name, kind) in enumerate(
        (
            ("content_type", "short"),
            ("content_encoding", "short"),
            ("headers", "table"),
            ("delivery_mode", "octet"),
            ("priority", "octet"),
            ("correlation_id", "short"),
            ("reply_to", "short"),
            ("expiration", "short"),
            ("message_id", "short"),
            ("timestamp", "long"),
            ("type", "short"),
            ("user_id", "short"),
            ("app_id", "short"),
            ("cluster_id", "short"),
        )
    )
)


class WireProperties(pika.BasicProperties):  # type: ignore[misc] # pika has no types
    """Pika's properties with this module's reader and writer in place of pika's."""

    unreadable: tuple[str, ...] = ()
    """Names of headers and properties that were there and could not be read."""

    def decode(self, encoded: bytes, offset: int = 0) -> WireProperties:
        """Read them; raises nothing."""
        reader = _Reader(encoded, offset)
        name = "properties"
        try:
            flags = reader.flags()
            for name, flag, kind in _FIELDS:
                setattr(self, name, reader.property(kind) if flags & flag else None)
        except _UnreadableError:
            reader.unreadable.append(name)
        self.unreadable = tuple(reader.unreadable)
        return self

    def encode(self) -> list[bytes]:
        """Write them. Raises ValueError, TypeError or ArithmeticError for a value that AMQP does not have."""
        there = [field for field in _FIELDS if getattr(self, field[0]) is not None]
        flags = sum(flag for _, flag, _ in there)
        return [
            struct.pack(">H", flags),
            *(encode_property(getattr(self, name), kind) for name, _, kind in there),
        ]


def property_kinds() -> dict[str, str]:
    """Kind of each property, by name, for :func:`encode_property`."""
    return {name: kind for name, _, kind in _FIELDS}


def encode_property(value: object, kind: str) -> bytes:
    """One property. Raises ValueError, TypeError or ArithmeticError."""
    try:
        return _WRITERS[kind](value)
    except struct.error as error:
        raise ValueError(f"out of bounds for AMQP: {error}") from None


def encode_pair(key: str, value: object) -> bytes:
    """A key of a table with its value. Raises ValueError, TypeError or ArithmeticError."""
    try:
        return _short(key) + _value(value)
    except struct.error as error:
        raise ValueError(f"out of bounds for AMQP: {error}") from None


def text_of(raw: bytes | str) -> str:
    """A short string as text that can be written again as a short string; always the same for the same bytes."""
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        shown = f"0x{raw.hex()}"
        return shown if len(shown) <= _SHORT_MAX else f"sha256:{hashlib.sha256(raw).hexdigest()}"


class _UnreadableError(Exception):
    """Where the next value begins cannot be known."""


class _Reader:
    """Reads values one after the other; within a table or array that ends early the rest of it is given up."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset
        self.unreadable: list[str] = []

    def flags(self) -> int:
        flags = word = self._unpack(">H", len(self._data))
        while word & 1:  # a further word follows; AMQP 0-9-1 has no property in it
            word = self._unpack(">H", len(self._data))
        return int(flags)

    def property(self, kind: str) -> object:
        end = len(self._data)
        if kind == "short":
            return self._short(end)
        if kind == "table":
            return self._table(end, "", 1)
        return self._unpack(">B" if kind == "octet" else ">Q", end)

    def _table(self, end: int, path: str, depth: int) -> dict[str, object] | None:
        end = self._sized(end)
        if depth > _MAX_DEPTH:
            self._skip(end, path)
            return None
        found: dict[str, object] = {}
        while self._offset < end:
            name = f"{path}." if path else ""
            try:
                key = self._short(end)
                name += key
                found[key] = self._value(end, name, depth)
            except _UnreadableError:
                self._skip(end, name or "headers")
        return found

    def _array(self, end: int, path: str, depth: int) -> list[object] | None:
        end = self._sized(end)
        if depth > _MAX_DEPTH:
            self._skip(end, path)
            return None
        found: list[object] = []
        while self._offset < end:
            try:
                found.append(self._value(end, path, depth))
            except _UnreadableError:
                self._skip(end, path)
        return found

    def _value(self, end: int, path: str, depth: int) -> object:
        kind = self._take(1, end)
        if kind in _FIXED:
            return _plain(kind, self._unpack(_FIXED[kind], end))
        if kind == b"F":
            return self._table(end, path, depth + 1)
        if kind == b"A":
            return self._array(end, path, depth + 1)
        if kind == b"V":
            return None
        if kind == b"D":
            places, digits = self._unpack(">B", end), self._unpack(">i", end)
            return Decimal(digits).scaleb(-places)
        if kind in {b"S", b"x"}:
            start = self._sized(end)
            raw = self._take(start - self._offset, end)
            return raw if kind == b"x" else _long_text(raw)
        raise _UnreadableError

    def _short(self, end: int) -> str:
        return text_of(self._take(self._unpack(">B", end), end))

    def _sized(self, end: int) -> int:
        """Where the table, array or string ends whose length stands here."""
        size: int = self._unpack(">I", end)
        if self._offset + size > end:
            raise _UnreadableError
        return self._offset + size

    def _skip(self, end: int, name: str) -> None:
        self._offset = end
        self.unreadable.append(name)

    def _take(self, size: int, end: int) -> bytes:
        if self._offset + size > end:
            raise _UnreadableError
        self._offset += size
        return bytes(self._data[self._offset - size : self._offset])

    def _unpack(self, layout: str, end: int) -> int:
        (value,) = struct.unpack(layout, self._take(struct.calcsize(layout), end))
        return value  # type: ignore[no-any-return] # a float where the layout says so


def _plain(kind: bytes, value: float) -> object:
    if kind == b"T" and value <= _LATEST:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _long_text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _short(value: object) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    if not isinstance(raw, bytes):
        raise TypeError("not text")
    if len(raw) > _SHORT_MAX:
        raise ValueError("longer than 255 bytes")
    return bytes([len(raw)]) + raw


def _table(value: object) -> bytes:
    if not isinstance(value, Mapping):
        raise TypeError("not a table")
    return _with_length(b"".join(encode_pair(key, item) for key, item in value.items()))


def _with_length(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


def _value(value: object) -> bytes:  # noqa: C901, PLR0911 - one line for each type
    match value:
        case None:
            return b"V"
        case bool():
            return b"t\x01" if value else b"t\x00"
        case str():
            return b"S" + _with_length(value.encode())
        case bytes():
            return b"x" + _with_length(value)
        case int():
            return _whole(value)
        case float() if math.isfinite(value):
            return struct.pack(">cd", b"d", value)
        case Decimal():
            return _decimal(value)
        case datetime():
            return struct.pack(">cQ", b"T", calendar.timegm(value.utctimetuple()))
        case Mapping():
            return b"F" + _table(value)
        case list() | tuple():
            return b"A" + _with_length(b"".join(_value(item) for item in value))
    raise TypeError(f"AMQP has no {type(value).__name__} that could hold it")


def _whole(value: int) -> bytes:
    if value in _INT:
        return struct.pack(">ci", b"I", value)
    if value in _LONG:
        return struct.pack(">cq", b"l", value)
    raise ValueError("a whole number of more than 64 bits")


def _decimal(value: Decimal) -> bytes:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TypeError("not a finite number")
    places = max(0, -exponent)
    digits = int(value.scaleb(places))
    if places > _SHORT_MAX or digits not in _INT:
        raise ValueError("a decimal number of more than 32 bits")
    return struct.pack(">cBi", b"D", places, digits)


_WRITERS: Mapping[str, Callable[..., bytes]] = {
    "short": _short,
    "table": _table,
    "octet": lambda value: struct.pack(">B", value),
    "long": lambda value: struct.pack(">Q", value),
}
