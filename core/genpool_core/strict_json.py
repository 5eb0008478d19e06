"""JSON that others wrote and we write again: read whole, or refused with a reason and a place.

Python's reader takes more than JSON has (NaN), drops a name that is given twice, and reads what nothing can store,
send or hash afterwards (1e999, half of a surrogate pair, endless nesting).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from genpool_core.jsontypes import JsonValue

#: Deeper than any task or graph; every reader and writer of JSON that a task meets can go so far.
MAX_DEPTH = 64
#: Some editors and shells put it before a text.
BYTE_ORDER_MARK = "\ufeff"
_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
Path = tuple[str | int, ...]


class JsonFault(ValueError):  # noqa: N818 - what is wrong with the text, not with a call
    """A text that cannot be taken.

    ``what`` is the rest of a sentence that begins with the text's name, ``advice`` says what to send instead, ``path``
    are the names and positions that lead to the place; empty where the text as a whole is meant.
    """

    def __init__(self, what: str, advice: str, path: Path = ()) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.path = path


@dataclass(frozen=True)
class _NoNumber:
    """NaN, Infinity or -Infinity, until its place is known."""

    name: str


class _Repeated(dict[str, Any]):
    """An object that gives a name twice, until its place is known."""

    name = ""


def read_json(text: str, *, unique: bool = False) -> JsonValue:
    """The value of a JSON text; a byte order mark before it is left out.

    ``unique``: a name that an object gives twice is a fault; otherwise the last one counts.

    Raises
    ------
    JsonFault
        It is no JSON, or holds what cannot be written again as JSON.
    """
    try:
        value: JsonValue = json.loads(
            text.removeprefix(BYTE_ORDER_MARK),
            parse_constant=_NoNumber,
            object_pairs_hook=_unique if unique else None,
        )
    except json.JSONDecodeError as error:
        raise JsonFault(f"is not JSON: {error}", "Send one JSON object in UTF-8.") from None
    except RecursionError:
        raise JsonFault(_TOO_DEEP, "Send a flatter object.") from None
    except ValueError:
        # Python reads whole numbers up to 4300 digits.
        raise JsonFault("holds a number with thousands of digits", "Send a shorter one.") from None
    refuse_unwritable(value)
    return value


def decode_text(raw: bytes) -> str:
    """The text of a file that people saved: UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises
    ------
    JsonFault
        It is in another encoding.
    """
    encoding = json.detect_encoding(raw)
    try:
        return raw.decode(encoding).removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise JsonFault(
            f"is no text in UTF-8 or UTF-16: byte {error.start} is not valid", "Save it as UTF-8."
        ) from None


def refuse_unwritable(value: JsonValue) -> None:
    """Refuse what can be read but not stored, sent or hashed. Raises JsonFault."""
    todo: list[tuple[object, Path]] = [(value, ())]
    while todo:
        item, path = todo.pop()
        if len(path) >= MAX_DEPTH:
            raise JsonFault(_TOO_DEEP, "Send a flatter object.", path[:1])
        if isinstance(item, _NoNumber):
            raise JsonFault(
                f"is not JSON: it has no {item.name}", "Send a number, or leave the field out.", path
            )
        if isinstance(item, _Repeated):
            raise JsonFault(f"gives the name {item.name!r:.100} twice", "Give it once.", path)
        if isinstance(item, float) and not math.isfinite(item):
            raise JsonFault("holds a number that is out of range", "Send finite numbers.", path)
        if isinstance(item, str) and not _is_unicode(item):
            raise JsonFault("holds half of a surrogate pair", "Send whole Unicode characters.", path)
        if isinstance(item, dict):
            # A name that cannot be written is told with the place of its object.
            todo.extend((name, path) for name in item)
            todo.extend((child, (*path, name)) for name, child in item.items())
        elif isinstance(item, list):
            todo.extend((child, (*path, index)) for index, child in enumerate(item))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _Repeated(found)
    names = [name for name, _ in pairs]
    repeated.name = next(name for name in names if names.count(name) > 1)
    return repeated


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
