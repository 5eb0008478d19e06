"""The pools of a Kubernetes: GenerationPools, and the ConfigMaps that the operator made of them, as they change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from urllib.parse import quote

from genpool_adapters.kube.api import NOT_FOUND, KubeApi
from genpool_adapters.kube.list_watch import ListWatch, ListWatchTimes
from genpool_core import names, timing
from genpool_core.api.record import PoolRecord, parse_pool
from genpool_core.errors import ClusterError
from genpool_core.jsontypes import JsonObject
from genpool_core.kube.objects import AnyObject, ConfigMap
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.pool import PoolFiles, read_files, served_pool

WAITS = ListWatchTimes(
    watch=timing.POOLS_WATCH_SECONDS, relist=timing.POOLS_RELIST_SECONDS, retries=timing.POOLS_RETRY_STEPS
)
_POOLS = f"/apis/{names.API_VERSION}"
_MAPS = "/api/v1"
_NOT_YET = "GenerationPools have not been read from Kubernetes yet."
Key = tuple[str, str]
T = TypeVar("T")


class KubePools:
    """See the port :class:`genpool_gateway.pools.source.PoolSource`.

    ``namespaces``: those to read; all when empty. ``waits``: for tests.
    """

    def __init__(
        self, api: KubeApi, namespaces: Sequence[str] = (), *, waits: ListWatchTimes = WAITS
    ) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._snapshot: PoolDirectory | None = None
        scopes = [f"/namespaces/{quote(name, safe='')}" for name in namespaces] or [""]
        self._pools = [_Kept(parse_pool, self._lock, self._changed) for _ in scopes]
        self._maps = [_Kept(_files, self._lock, self._changed) for _ in scopes]
        pools = [(f"{_POOLS}{scope}/{names.PLURAL}", "") for scope in scopes]
        maps = [(f"{_MAPS}{scope}/configmaps", names.objects_selector()) for scope in scopes]
        self._watches = [
            *(ListWatch(api, *what, kept, waits) for what, kept in zip(pools, self._pools, strict=True)),
            *(ListWatch(api, *what, kept, waits) for what, kept in zip(maps, self._maps, strict=True)),
        ]

    def start(self) -> None:
        """Begin to watch; returns at once."""
        for watch in self._watches:
            watch.start()

    def stop(self) -> None:
        """End all watches; it is for one use."""
        for watch in self._watches:
            watch.begin_stop()
        self._api.close()
        for watch in self._watches:
            watch.join()

    def trouble(self) -> str | None:
        """Why the pools are not known."""
        with self._lock:
            return self._trouble()

    def outdated(self) -> str | None:
        """Why what is known may be old."""
        with self._lock:
            return next((kept.error for kept in self._all() if kept.error), None)

    def snapshot(self) -> PoolDirectory:
        """The pools of this moment."""
        with self._lock:
            trouble = self._trouble()
            if trouble is not None:
                raise PoolsUnknown(trouble)
            if self._snapshot is None:
                self._snapshot = self._directory()
            return self._snapshot

    def _trouble(self) -> str | None:
        unknown = [kept for kept in self._all() if not kept.complete]
        return next((kept.error or _NOT_YET for kept in unknown if kept.error), _NOT_YET if unknown else None)

    def _all(self) -> list[_Kept[PoolRecord] | _Kept[PoolFiles | str]]:
        return [*self._pools, *self._maps]

    def _changed(self) -> None:
        """Called with the lock held."""
        self._snapshot = None

    def _directory(self) -> PoolDirectory:
        maps = {key: files for kept in self._maps for key, files in kept.items.items()}
        records = (record for kept in self._pools for record in kept.items.values())
        return PoolDirectory.of(
            served_pool(record, maps.get((record.meta.namespace, names.config_map(record.meta.name))))
            for record in records
        )


class _Kept(Generic[T]):
    """Objects of one kind and scope, parsed once for each version that is seen."""

    def __init__(
        self, parse: Callable[[JsonObject], T], lock: threading.Lock, changed: Callable[[], None]
    ) -> None:
        self.items: dict[Key, T] = {}
        self.complete = False
        """Whether they have been listed."""
        self.error: str | None = None
        """Why changes are not seen now."""
        self._versions: dict[Key, str] = {}
        self._parse = parse
        self._lock = lock
        self._changed = changed

    def replace(self, objects: Sequence[JsonObject]) -> None:
        """A whole list."""
        news = [self._new(body) for body in objects]
        with self._lock:
            for key in self.items.keys() - {key for key, _, _ in news}:
                self._forget(key)
            for new in news:
                self._take(*new)
            if not self.complete:
                self._changed()
            self.complete, self.error = True, None

    def put(self, body: JsonObject) -> None:
        """One object."""
        new = self._new(body)
        with self._lock:
            self._take(*new)

    def drop(self, body: JsonObject) -> None:
        """One object that is gone."""
        key, _ = _identity(body)
        with self._lock:
            self._forget(key)

    def failed(self, error: ClusterError) -> None:
        """Changes are not seen."""
        with self._lock:
            self.error = _sentence(error)

    def _new(self, body: JsonObject) -> tuple[Key, str, T | None]:
        """Key, version, and what it is; None where this version is known. Parsed outside of the lock: it takes time."""
        key, version = _identity(body)
        known = bool(version) and self._versions.get(key) == version
        return key, version, None if known else self._parse(body)

    def _take(self, key: Key, version: str, item: T | None) -> None:
        if item is None:
            return
        self.items[key], self._versions[key] = item, version
        self._changed()

    def _forget(self, key: Key) -> None:
        if self.items.pop(key, None) is not None:
            self._changed()
        self._versions.pop(key, None)


def _identity(body: JsonObject) -> tuple[Key, str]:
    """The version is the object's own, with its UID: it may have been deleted and made again meanwhile."""
    meta = AnyObject.read_object(body).metadata
    version = f"{meta.uid}/{meta.resource_version}" if meta.resource_version else ""
    return (meta.namespace, meta.name), version


def _files(body: JsonObject) -> PoolFiles | str:
    found = ConfigMap.read_object(body)
    return read_files(found.data, where=f"ConfigMap {found.metadata.name}")


def _sentence(error: ClusterError) -> str:
    """What to do about it, where that is known."""
    if error.status == NOT_FOUND:
        return f"{error.message.rstrip('.')}. Install GenPool's CustomResourceDefinition."
    if error.status in {401, 403}:
        return f"{error.message.rstrip('.')}. Give the gateway's ServiceAccount the rights of the chart."
    return error.message
