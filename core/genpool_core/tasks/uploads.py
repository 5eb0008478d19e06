"""Files that a sender has uploaded by the gateway, as inputs of its tasks.

A parameter that is a file may be ``upload:<token>/<name>`` instead of a URL. The object lies in the pool's bucket,
below the id of the API key that uploaded it. So nobody names another one's upload, and it counts only in messages whose
owner the gateway has written: whoever can publish into a queue cannot have objects of the bucket read.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from genpool_core.jsontypes import JsonObject

SCHEME = "upload:"
#: What a file may be named.
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_VALUE = re.compile(rf"upload:(?P<token>[0-9a-f]{{32}})/(?P<name>{NAME})")


def upload_value(token: str, name: str) -> str:
    """What a parameter says for an upload. ``token``: 32 random hexadecimal characters."""
    return f"{SCHEME}{token}/{name}"


def is_upload(value: str) -> bool:
    """Whether a parameter means an upload, well written or not."""
    return value.startswith(SCHEME)


def upload_key(value: str, *, prefix: str, owner: str) -> str | None:
    """The object's key; None where the value is no upload's. ``prefix``: the pool's in its bucket."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    return f"{prefix}uploads/{quote(owner, safe='')}/{found['token']}/{found['name']}"


def upload_values(parameters: JsonObject) -> list[str]:
    """The uploads that a task's parameters name, as they name them."""
    return [value for value in parameters.values() if isinstance(value, str) and _VALUE.fullmatch(value)]
