"""Input files over guarded HTTP: limits on size and time hold while the bytes come in."""

from __future__ import annotations

from collections.abc import Sequence

import requests

from genpool_adapters.http import explain, get_following, guarded_session, is_outage
from genpool_core import timing
from genpool_core.api.security import HostRule
from genpool_core.egress_policy import redact
from genpool_core.errors import AttemptFailed, RefusedInput

#: To connect, and between two reads.
_TIMEOUT = (timing.FETCH_CONNECT_SECONDS, timing.FETCH_READ_SECONDS)
_CHUNK = 1 << 16
_OK = 200
_SERVER_ERROR = 500
#: A client's errors that pass: request time-out, too early, too many requests.
_PASSING = frozenset({408, 425, 429})


class GuardedFetcher:
    """Implements ``ports.Fetcher``."""

    def __init__(self, allow: Sequence[HostRule], total_seconds: float = timing.FETCH_TOTAL_SECONDS) -> None:
        self._allow = allow
        self._total = total_seconds

    def fetch(self, url: str, max_bytes: int) -> bytes:
        """A file, in memory."""
        try:
            with (
                guarded_session(self._allow, deadline=self._total) as session,
                get_following(session, url, timeout=_TIMEOUT) as response,
            ):
                _check_status(url, response.status_code)
                return _body(url, response, max_bytes)
        except requests.RequestException as error:
            raise AttemptFailed(
                f"{redact(url)} could not be fetched: {explain(error)}",
                reason="InputUnavailable",
                retryable=is_outage(error),
            ) from error


def _check_status(url: str, status: int) -> None:
    if status == _OK:
        return
    retryable = status >= _SERVER_ERROR or status in _PASSING
    hint = "" if retryable else " Send a link that can be read without a login."
    raise AttemptFailed(
        f"{redact(url)} answered {status}.{hint}", reason="InputUnavailable", retryable=retryable
    )


def _body(url: str, response: requests.Response, max_bytes: int) -> bytes:
    """The body; what the server says about its length is believed only when it is too much."""
    said = response.headers.get("Content-Length", "")
    if said.isdigit() and int(said) > max_bytes:
        raise _too_large(url, max_bytes)
    data = bytearray()
    for chunk in response.iter_content(_CHUNK):
        data += chunk
        if len(data) > max_bytes:
            raise _too_large(url, max_bytes)
    return bytes(data)


def _too_large(url: str, max_bytes: int) -> RefusedInput:
    return RefusedInput(
        f"{redact(url)} is larger than {max_bytes:,} bytes, which is what the pool takes (security.maxInput): send a "
        "smaller file."
    )
