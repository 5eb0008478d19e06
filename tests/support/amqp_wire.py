"""Messages as the bytes that other clients send: what pika itself cannot write."""

from __future__ import annotations

import struct

import pika

HEADERS, DELIVERY_MODE, MESSAGE_ID = 1 << 13, 1 << 12, 1 << 7


def short(raw: bytes) -> bytes:
    """A short string."""
    return bytes([len(raw)]) + raw


def sized(raw: bytes) -> bytes:
    """A long string, table or array, with its length before it."""
    return struct.pack(">I", len(raw)) + raw


def timestamp(value: int) -> bytes:
    """A field of type timestamp."""
    return b"T" + struct.pack(">Q", value)


def double(value: float) -> bytes:
    """A field of type double."""
    return struct.pack(">cd", b"d", value)


def longstr(raw: bytes) -> bytes:
    """A field of type long string."""
    return b"S" + sized(raw)


def table(*pairs: tuple[bytes, bytes]) -> bytes:
    """A table of keys and fields."""
    return sized(b"".join(short(key) + field for key, field in pairs))


def properties(*pairs: tuple[bytes, bytes], message_id: bytes | None = None) -> bytes:
    """Properties of a persistent message with these headers."""
    flags = HEADERS | DELIVERY_MODE | (MESSAGE_ID if message_id is not None else 0)
    raw = struct.pack(">H", flags) + table(*pairs) + b"\x02"
    return raw if message_id is None else raw + short(message_id)


class RawProperties(pika.BasicProperties):
    """For pika's ``basic_publish``: properties that are bytes already."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self._raw = raw

    def encode(self) -> list[bytes]:
        return [self._raw]
