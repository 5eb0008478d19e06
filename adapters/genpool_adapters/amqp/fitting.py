"""What of a message's headers and properties can be sent. Pure.

A copy of a message that came may hold what AMQP cannot carry again, or may be too large once our own headers are
added: properties and headers together are one frame, and RabbitMQ ends a connection that sends a larger one. The
message is then sent without them, and a header names them.
"""

from __future__ import annotations

from collections.abc import Mapping

from genpool_adapters.amqp.wire import WireProperties, encode_pair, encode_property, property_kinds
from genpool_core.messages import headers as names

#: Frame, content header, flags, and the length of the table.
_OVERHEAD = 8 + 12 + 2 + 4
#: Left free for the headers that RabbitMQ adds when a message comes back from a delay step, and for our note.
_SPARE_BYTES = 4096
_ERRORS = (ValueError, TypeError, ArithmeticError, RecursionError)


def fitted(properties: WireProperties, frame_max: int) -> tuple[WireProperties, tuple[str, ...]]:
    """The properties as they can be sent, and what is left out. ``frame_max``: in bytes, 0 for no limit."""
    sent, left_out, size = WireProperties(), [], _OVERHEAD
    for name, kind in property_kinds().items():
        value = getattr(properties, name)
        if value is None or name == "headers":
            continue
        try:
            size += len(encode_property(value, kind))
        except _ERRORS:
            left_out.append(name)
        else:
            setattr(sent, name, value)
    given: Mapping[str, object] = properties.headers or {}
    room = frame_max - _SPARE_BYTES - size if frame_max else None
    kept, dropped = _kept(given, room)
    left_out += dropped
    headers = {key: given[key] for key in given if key in kept}
    if left_out:
        headers[names.LEFT_OUT] = names.left_out(headers.get(names.LEFT_OUT), left_out)
    sent.headers = headers or None
    return sent, tuple(left_out)


def _kept(given: Mapping[str, object], room: int | None) -> tuple[set[str], list[str]]:
    """Headers that can be sent, and the others: what AMQP does not have, then the largest that are not ours."""
    sizes: dict[str, int] = {}
    dropped: list[str] = []
    for key, value in given.items():
        try:
            sizes[key] = len(encode_pair(key, value))
        except _ERRORS:
            dropped.append(key)
    total = sum(sizes.values())
    theirs = sorted((key for key in sizes if not key.startswith(names.PREFIX)), key=lambda key: -sizes[key])
    for key in theirs:
        if room is None or total <= room:
            break
        total -= sizes.pop(key)
        dropped.append(key)
    return set(sizes), dropped
