"""Links to files in folders, which the gateway signs and serves itself: a bucket's store does that for a bucket.

A link is a path with a token: what it allows, as JSON in base64url, and an HMAC of that text. The text itself is
signed, so there is one way to write a token. Whoever has the link has what it allows, until it expires.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from genpool_core.errors import GenPoolError

#: Where the API answers for a token.
PATH = "/v1/files/"
#: A key has at most 1,024 bytes, and a name at most 255.
TOKEN_LENGTH = 4096
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})")
_AGAIN = "ask for the task again, or for a new upload: the answer has a new link"


class LinkRefused(GenPoolError):  # noqa: N818 - what happens to the caller
    """A link that allows nothing: forged, of another gateway, or expired."""

    reason = "Forbidden"


class Grant(BaseModel):
    """What a link allows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: Literal["GET", "PUT"]
    folder: str
    """Which folder: see :func:`folder_id`."""
    key: str
    expires: int
    """Seconds of the epoch."""
    content_type: str = ""
    """Of a PUT."""
    size: int = 0
    """Of a PUT, in bytes."""
    save_as: str = ""
    """Of a GET: the name under which a browser saves the file; empty: it may show it."""


class FileLinks:
    """Makes and reads links. Used by many threads.

    ``keys``: those that sign, of which all are honoured and the first is used; it is asked each time, so that they can
    be changed, and may raise SettingsError. ``base``: before the path, where the API has a public address.
    """

    def __init__(
        self, keys: Callable[[], Sequence[bytes]], now: Callable[[], datetime], *, base: str = ""
    ) -> None:
        self._keys = keys
        self._now = now
        self._base = base

    def make(self, grant: Grant) -> str:
        """The link of a grant; raises SettingsError where the keys cannot be read."""
        text = _text(grant.model_dump_json(exclude_defaults=True).encode())
        return f"{self._base}{PATH}{text}.{_signature(self._keys()[0], text)}"

    def expiry(self, seconds: float) -> int:
        """For a link that is to be valid for so long."""
        return int(self._now().timestamp() + seconds)

    def read(self, token: str, method: Literal["GET", "PUT"]) -> Grant:
        """What a token allows.

        Raises
        ------
        LinkRefused
            It does not allow this, or nothing any more.
        SettingsError
            The keys cannot be read.
        """
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise LinkRefused(f"this is no link of this gateway: {_AGAIN}.")
        text, signature = found.groups()
        # All are tried, so that the time tells nothing.
        fits = [hmac.compare_digest(_signature(key, text), signature) for key in self._keys()]
        if not any(fits):
            raise LinkRefused(f"the link's signature is not one of this gateway's keys: {_AGAIN}.")
        grant = _grant(text)
        if grant.expires <= self._now().timestamp():
            until = datetime.fromtimestamp(grant.expires, UTC).isoformat()
            raise LinkRefused(f"the link was valid until {until}: {_AGAIN}.")
        if grant.method != method:
            raise LinkRefused(f"the link is for {grant.method} and not for {method}.")
        return grant


def folder_id(path: str) -> str:
    """What stands for a folder in a link, which is no place for the machine's paths."""
    return hashlib.sha256(str(PurePosixPath(path)).encode()).hexdigest()[:16]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(key: bytes, text: str) -> str:
    return _text(hmac.new(key, text.encode(), hashlib.sha256).digest())


def _grant(text: str) -> Grant:
    try:
        return Grant.model_validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, ValidationError):
        # Signed, but of a release that wrote them otherwise.
        raise LinkRefused(f"the link is of another release: {_AGAIN}.") from None
