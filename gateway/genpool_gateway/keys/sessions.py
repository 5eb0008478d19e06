"""Browsers that showed an API key once: a cookie stands for the key until it is over.

The cookie is 256 random bits, of which only the hash is stored. A page proves with a token that it is our own: the
token is a hash of the cookie, which no page can read, and is given out by ``GET /v1/session`` alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_gateway.keys.access import Caller
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.secret import digest_of
from genpool_gateway.tasks.key_ports import KeyStore, Session

_REMEMBERED = 1000
_BYTES = 32


@dataclass(frozen=True)
class NewSession:
    """A session that was just begun."""

    cookie: str = field(repr=False)
    caller: Caller


def csrf_token(cookie: str) -> str:
    """What requests of our own page send with a cookie, hexadecimal."""
    return hmac.new(cookie.encode(), b"genpool csrf", hashlib.sha256).hexdigest()


def is_csrf_token(sent: str | None, cookie: str) -> bool:
    """Whether a header is the token of a cookie."""
    return sent is not None and hmac.compare_digest(sent.encode(), csrf_token(cookie).encode())


class SessionRing:
    """Callers by their cookies. One that is over is honoured for a few seconds more at most, by another gateway."""

    def __init__(
        self,
        store: KeyStore,
        keys: KeyRing,
        now: Callable[[], datetime],
        *,
        redeem: Callable[[str], str | None] = lambda _word: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``redeem``: the key for which a word stands that is good once."""
        self._store = store
        self._keys = keys
        self._redeem = redeem
        self._now = now
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Caller | None]] = OrderedDict()

    def begin(self, key: str) -> NewSession | None:
        """A session of a key, or of a word that is good once; None where it is none. Raises TaskStoreError."""
        key = self._redeem(key) or key
        caller = self._keys.look_up(key)
        if caller is None:
            return None
        cookie, now = secrets.token_urlsafe(_BYTES), self._now()
        expires_at = now + timedelta(seconds=timing.SESSION_SECONDS)
        self._store.add_session(Session(digest_of(cookie), digest_of(key), expires_at), now)
        return NewSession(cookie, caller)

    def known(self, cookie: str) -> Caller | None:
        """The caller of a cookie that was looked up a moment ago; None: look it up."""
        with self._lock:
            until, caller = self._known.get(digest_of(cookie), (0.0, None))
        return caller if self._clock() < until else None

    def look_up(self, cookie: str) -> Caller | None:
        """The caller of a cookie; None where its session or its key is over. Raises TaskStoreError."""
        digest = digest_of(cookie)
        session = self._store.session_by_digest(digest)
        if session is None or session.expires_at <= self._now():
            return None
        caller = self._keys.by_digest(session.key_digest)
        with self._lock:
            self._known[digest] = (self._clock() + timing.KEY_CACHE_SECONDS, caller)
            self._known.move_to_end(digest)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return caller

    def end(self, cookie: str) -> None:
        """End a session. Raises TaskStoreError."""
        digest = digest_of(cookie)
        self._store.end_session(digest)
        with self._lock:
            self._known.pop(digest, None)

    def forget(self) -> None:
        """Look all sessions up again: a key was revoked here."""
        with self._lock:
            self._known.clear()
