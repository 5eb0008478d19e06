"""Data URIs (RFC 2397) as inputs: the file itself, in base64, where a URL would stand."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from genpool_core.errors import RefusedInput

_SCHEME = "data:"
_HEAD = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE | re.ASCII
)
#: The head of one is at most so long.
_MOST_HEAD = 200


@dataclass(frozen=True)
class Contents:
    """What a data URI holds."""

    content_type: str
    data: bytes = field(repr=False)


def is_data_uri(value: object) -> bool:
    """Whether a value is meant as a data URI, well written or not."""
    return isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME


def read_data_uri(name: str, value: str, most: int) -> Contents:
    """What parameter ``name`` holds; ``most``: the largest file in bytes.

    Raises
    ------
    RefusedInput
        It is none in base64, is empty, or too large.
    """
    head = _HEAD.match(value, 0, _MOST_HEAD)
    if head is None:
        raise RefusedInput(
            f"{name} is no data URI in base64: send data:image/png;base64, and the file.", parameter=name
        )
    length = len(value) - head.end()
    # Refused before it is decoded; three bytes are four characters.
    if length // 4 * 3 - 2 > most:
        raise _too_large(name, most)
    try:
        data = base64.b64decode(value[head.end() :].encode("ascii"), validate=True)
    except ValueError:
        raise RefusedInput(
            f"{name} is a data URI whose base64 cannot be read: send it without line breaks, and whole.",
            parameter=name,
        ) from None
    if not data:
        raise RefusedInput(f"{name} is an empty data URI: send the file in it.", parameter=name)
    if len(data) > most:
        raise _too_large(name, most)
    return Contents((head["type"] or "application/octet-stream").lower(), data)


def _too_large(name: str, most: int) -> RefusedInput:
    return RefusedInput(
        f"{name} holds a file of more than {most:,} bytes, which is the most that this pool takes (security.maxInput): "
        "send a smaller one.",
        parameter=name,
    )
