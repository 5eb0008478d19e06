"""From a request's credentials to its caller."""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import get_args

from genpool_core import timing
from genpool_gateway.keys.access import Caller, Role
from genpool_gateway.keys.secret import digest_of, is_key
from genpool_gateway.tasks.key_ports import ApiKey, KeyStore

#: Id of the key that the operator made at the installation.
FIRST_KEY = "installation"
_REMEMBERED = 1000


class KeyRing:
    """Callers by their keys. A key that was revoked is honoured for a few seconds more at most.

    ``first_keys``: the keys of the installation, read anew at each look.
    """

    def __init__(
        self,
        store: KeyStore,
        first_keys: Callable[[], tuple[str, ...]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._first_keys = first_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Caller | None]] = OrderedDict()

    def known(self, key: str) -> Caller | None:
        """The caller of a key that was looked up a moment ago; None: look it up."""
        with self._lock:
            until, caller = self._known.get(digest_of(key), (0.0, None))
        return caller if self._clock() < until else None

    def look_up(self, key: str) -> Caller | None:
        """The caller of a key; None where it is none or was revoked. Raises TaskStoreError."""
        if not is_key(key):
            return None
        digest = digest_of(key)
        caller = self.by_digest(digest)
        with self._lock:
            self._known[digest] = (self._clock() + timing.KEY_CACHE_SECONDS, caller)
            self._known.move_to_end(digest)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return caller

    def by_digest(self, digest: str) -> Caller | None:
        """The caller of the key with this SHA-256, as it is now; None: revoked, or gone. Raises TaskStoreError."""
        return self._first(digest) or _caller(self._store.key_by_digest(digest))

    def forget(self) -> None:
        """Look all keys up again: one was revoked here."""
        with self._lock:
            self._known.clear()

    def _first(self, digest: str) -> Caller | None:
        if any(hmac.compare_digest(digest, digest_of(first)) for first in self._first_keys()):
            return Caller(FIRST_KEY, FIRST_KEY, "admin")
        return None


def _caller(key: ApiKey | None) -> Caller | None:
    if key is None or key.revoked_at is not None or key.role not in get_args(Role):
        return None
    role: Role = key.role  # type: ignore[assignment]
    return Caller(key.id, key.name, role, None if key.pools is None else frozenset(key.pools), key.max_queued)
