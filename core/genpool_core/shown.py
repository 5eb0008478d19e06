"""What a sender sent, as an answer may repeat it: short, and without what may be a secret."""

from __future__ import annotations

import math
import re

from genpool_core.egress_policy import redact
from genpool_core.jsontypes import JsonValue
from genpool_core.one_line import one_line

_MOST = 200
#: Integers that every reader of JSON reads exactly.
_EXACT = 2**53
#: A URL in a text, from the beginning of its scheme. Each character is looked at once: a text may be long.
_URL = re.compile(r"(?<![\w+.-])[\w+.-]+://\S*")
#: An API key that stands where none belongs.
_KEY = re.compile(r"gpk_[\w-]{10,}")
_DATA = re.compile(r"\s*data:([\w.+/-]{0,100})", re.IGNORECASE)


def kind_of(value: JsonValue) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def shown(value: JsonValue, *, url: bool = False) -> JsonValue:
    """A value, or what stands for it: a URL loses its query, a text its end; objects and lists are only named.

    ``url``: the value is meant as a URL, whatever it looks like.
    """
    if isinstance(value, (dict, list)):
        return f"({kind_of(value)})"
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return _text(value, url=url)
    exact = abs(value) < _EXACT if isinstance(value, int) else math.isfinite(value)
    return value if exact else one_line(_digits(value), _MOST)


def _text(text: str, *, url: bool) -> str:
    text = _KEY.sub("gpk_…", text)
    data = _DATA.match(text)
    if data is not None:
        return f"data:{data[1]}…"
    if url:
        return one_line(redact(text.strip()), _MOST)
    return one_line(_URL.sub(lambda found: redact(found[0]), text), _MOST)


def _digits(number: float) -> str:
    """A number as text; one with more digits than Python writes is only named."""
    try:
        return str(number)
    except ValueError:
        return "(a very long number)"
