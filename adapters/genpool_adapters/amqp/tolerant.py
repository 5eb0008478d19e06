"""Pika's connection with a reader that no message can break. Goes when pika has one (pika/pika#1698)."""

from __future__ import annotations

import struct

import pika
from pika import frame, spec

from genpool_adapters.amqp.wire import WireProperties

_BASIC = spec.Basic.INDEX
#: Type, channel and size of a frame; then class, weight and size of the body, in a header frame.
_PREFIX = struct.Struct(">BHI")
_CONTENT = struct.Struct(">HHQ")


class TolerantConnection(pika.SelectConnection):  # type: ignore[misc] # pika has no types
    """A ``SelectConnection`` to which every message arrives."""

    def _read_frame(self) -> tuple[int, frame.Frame | None]:
        return read_frame(self._frame_buffer)


def read_frame(buffer: bytes) -> tuple[int, frame.Frame | None]:
    """The first frame of ``buffer`` and its length, or ``(0, None)`` when it is not whole yet.

    Properties of messages are read by :class:`WireProperties`, everything else by pika.
    """
    if len(buffer) >= _PREFIX.size + _CONTENT.size and buffer[0] == spec.FRAME_HEADER:
        _, channel, size = _PREFIX.unpack_from(buffer)
        body = _PREFIX.size + _CONTENT.size
        end = _PREFIX.size + size
        whole = body <= end < len(buffer) and buffer[end] == spec.FRAME_END
        class_id, _, body_size = _CONTENT.unpack_from(buffer, _PREFIX.size)
        if whole and class_id == _BASIC:
            return end + 1, frame.Header(channel, body_size, WireProperties().decode(buffer[body:end]))
    found: tuple[int, frame.Frame | None] = frame.decode_frame(buffer)
    return found
