"""The part of a file that a request asks for, and whether it has it already (RFC 9110). Pure."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*", re.IGNORECASE)


class NoSuchPart(ValueError):  # noqa: N818 - what is the case
    """No byte of the file is in the range."""


def part_of(header: str | None, size: int) -> range | None:
    """The bytes that are asked for; None for the whole file, also where the header asks for what we do not do.

    Raises
    ------
    NoSuchPart
        There is none of them.
    """
    found = _ONE.fullmatch(header or "")
    if found is None or found[0].count("-") != 1 or not (found[1] or found[2]):
        return None
    if found[1]:
        first, last = int(found[1]), int(found[2]) if found[2] else size - 1
        if found[2] and last < first:
            return None
    else:
        first, last = max(0, size - int(found[2])), size - 1
    if first >= size:
        raise NoSuchPart
    return range(first, min(last, size - 1) + 1)


def is_known(header: str | None, etag: str) -> bool:
    """Whether the file of this ETag is one that a request's ``If-None-Match`` names."""
    named = (header or "").split(",")
    return any(each.strip().removeprefix("W/") in {etag, "*"} for each in named)
