"""Looks whether the gateway can do its work in the buckets and folders of its pools, and knows what was found.

Wrong keys, a wrong bucket, a folder that cannot be written: links that lead to an error, and tasks that never end.
What is found is told in the readiness answer, with each pool, and to who cancels a task. Each look has a thread of
its own: a store that hangs holds up no other one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from genpool_adapters.objectstore.access_check import AccessFailure, StoreAccess, check_access
from genpool_adapters.objectstore.port import ObjectStore
from genpool_core.errors import SettingsError, StorageError
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.pools.errors import PoolsUnknown, how_to_list, not_listed
from genpool_gateway.pools.links import store_of
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.pools.store_state import (
    KnownStore,
    StoreKey,
    StoreLook,
    due,
    keeps_from_ending,
    learned,
    overdue,
    remark_of,
    store_key,
    trouble_of,
)
from genpool_gateway.pools.view_models import StoreView

_log = structlog.get_logger(__name__)
Begin = Callable[[Callable[[], None]], None]


class UsableStores(Protocol):
    """The buckets and folders that the gateway may use."""

    def of(self, config: StoreConfig) -> ObjectStore | None:
        """That of a pool; None where it is not listed. Raises SettingsError."""


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="store-check", daemon=True).start()


class StoreChecks:
    """Used by many threads. ``begin``: has a look done, and returns at once."""

    def __init__(
        self,
        pools: PoolSource,
        stores: UsableStores,
        now: Callable[[], datetime],
        *,
        begin: Begin = _in_thread,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pools = pools
        self._stores = stores
        self._now = now
        self._begin = begin
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[StoreKey, StoreConfig] = {}
        self._known: dict[StoreKey, KnownStore] = {}
        self._begun: dict[StoreKey, float] = {}
        self._busy: set[StoreKey] = set()

    def look(self) -> None:
        """Begin the looks that are due; returns at once. Stores that no pool uses any more are forgotten."""
        try:
            pools = self._pools.snapshot().pools
        except PoolsUnknown:
            return
        used = {store_key(store): store for pool in pools if (store := store_of(pool)) is not None}
        with self._lock:
            self._used = used
            self._forget_all_but(used)
            now = self._clock()
            chosen = due(used, self._begun, self._busy, now)
            self._begun.update(dict.fromkeys(chosen, now))
            self._busy.update(chosen)
        for key in chosen:
            self._begin(partial(self._check, key, used[key]))

    def keeps_from_ending(self, store: StoreConfig) -> str | None:
        """Why no end record can be written there before somebody changes something; None where that is not known."""
        return keeps_from_ending(self._of(store))

    def remark(self) -> str | None:
        """Which stores do not work, as sentences; None where none is known not to."""
        with self._lock:
            stores = [self._used[key] for key in sorted(self._used)]
        return remark_of([known for store in stores if (known := self._of(store)) is not None])

    def view(self, pool: ServedPool) -> StoreView:
        """The store of a pool, as the API shows it."""
        store = store_of(pool)
        if store is None:
            return StoreView(state="unknown", message=None, looked_at=None)
        known = self._of(store)
        if known is not None:
            look = known.newest
            return StoreView(state=look.state.value, message=trouble_of(known), looked_at=look.at)
        if self._is_unlisted(store):
            text = f"{not_listed(store)}. {how_to_list(store)}."
            return StoreView(state="unlisted", message=text, looked_at=None)
        return StoreView(state="unknown", message=None, looked_at=None)

    def _of(self, store: StoreConfig) -> KnownStore | None:
        key = store_key(store)
        with self._lock:
            known = self._known.get(key)
            waited = self._clock() - self._begun[key] if key in self._busy and key in self._begun else 0.0
        return overdue(known, store, waited, self._now())

    def _is_unlisted(self, store: StoreConfig) -> bool:
        try:
            return self._stores.of(store) is None
        except SettingsError:
            # The next look tells what is wrong with it.
            return False

    def _forget_all_but(self, used: Mapping[StoreKey, StoreConfig]) -> None:
        for key in self._begun.keys() - used.keys():
            self._begun.pop(key)
            self._known.pop(key, None)

    def _check(self, key: StoreKey, store: StoreConfig) -> None:
        try:
            look = self._looked(store)
            if look is not None:
                self._learn(key, store, look)
        except Exception:  # noqa: BLE001 - logged with its traceback; what was known stays, and the next look may go well
            _log.exception("store_not_looked_at", store=str(store))
        finally:
            with self._lock:
                self._busy.discard(key)

    def _looked(self, store: StoreConfig) -> StoreLook | None:
        """What is found in a store now; None where it is not listed."""
        try:
            usable = self._stores.of(store)
        except SettingsError as error:
            refused = StorageError(error.message, reason=error.reason, refusal=True)
            return StoreLook(self._now(), AccessFailure(StoreAccess.READ, refused))
        return None if usable is None else StoreLook(self._now(), check_access(usable, store.prefix))

    def _learn(self, key: StoreKey, store: StoreConfig, look: StoreLook) -> None:
        with self._lock:
            if key not in self._begun:
                # No pool uses it any more.
                return
            before = self._known.get(key)
            known = self._known[key] = learned(before, look)
        if before is not None and before.newest.state is look.state:
            return
        if look.failure is not None:
            error = look.failure.error
            _log.warning(
                "store_does_not_work", store=str(store), reason=error.reason, message=trouble_of(known)
            )
        elif before is not None:
            _log.info("store_works_again", store=str(store))
