"""Pools, Deployments and pods, and which belong together. Used by several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from genpool_core import names
from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.record import PoolRecord, parse_pool
from genpool_core.jsontypes import JsonObject
from genpool_operator.adapters.store.versioned_cache import Key, VersionedCache
from genpool_operator.decide.objects import DeploymentView, parse_deployment, parse_pod
from genpool_operator.decide.pods import PodView


class Store:
    """The operator's view of the cluster; see the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: VersionedCache[PoolRecord] = VersionedCache()
        self._deployments: VersionedCache[DeploymentView] = VersionedCache()
        self._pods: VersionedCache[PodView] = VersionedCache()
        self._pods_of: dict[Key, list[PodView]] | None = None
        self._deleted: list[GenerationPool] = []

    # What the reconciler asks ------------------------------------------------------------------------------------

    def deployment(self, meta: ObjectMeta) -> DeploymentView | None:
        """The Deployment of a pool."""
        with self._lock:
            return self._deployments.items.get((meta.namespace, names.deployment(meta.name)))

    def pods(self, meta: ObjectMeta) -> Sequence[PodView]:
        """The pods of a pool."""
        with self._lock:
            if self._pods_of is None:
                self._pods_of = {}
                for pod in self._pods.items.values():
                    self._pods_of.setdefault((pod.namespace, pod.instance), []).append(pod)
            return tuple(self._pods_of.get((meta.namespace, instance(meta.name)), ()))

    def pools(self) -> Sequence[GenerationPool]:
        """All pools that can be read."""
        return [record.pool for record in self.records() if record.pool is not None]

    def records(self) -> Sequence[PoolRecord]:
        """All GenerationPools, also those that cannot be read."""
        with self._lock:
            return list(self._pools.items.values())

    def record(self, key: Key) -> PoolRecord | None:
        """One GenerationPool."""
        with self._lock:
            return self._pools.items.get(key)

    def observe(self, body: JsonObject) -> None:
        """Take in a pool or Deployment that Kubernetes has just answered with."""
        if body.get("kind") != names.KIND:
            self.put_deployment(body)
            return
        record = parse_pool(body)
        known = self.record((record.meta.namespace, record.meta.name))
        # The answer may be late: a pool that was deleted meanwhile stays deleted.
        if known is not None and known.meta.uid == record.meta.uid:
            self.put_pool(body)

    def scaled(self, meta: ObjectMeta, replicas: int, resource_version: str) -> None:
        """Take in that a pool's Deployment has another number of replicas now."""
        key = (meta.namespace, names.deployment(meta.name))
        with self._lock:
            found = self._deployments.items.get(key)
            if found is not None:
                version = resource_version or found.resource_version
                self._deployments.put(key, replace(found, wanted=replicas, resource_version=version))

    # What the watches tell ---------------------------------------------------------------------------------------

    def put_pool(self, body: JsonObject) -> bool:
        """A pool was seen. True when its spec is new to us; one that is being deleted counts as deleted."""
        record = parse_pool(body)
        if record.meta.deletion_timestamp is not None:
            self.drop_pool(body)
            return False
        key = (record.meta.namespace, record.meta.name)
        with self._lock:
            before = self._pools.items.get(key)
            if before is not None and before.meta.uid != record.meta.uid:
                self._mark_deleted(self._pools.drop(key))
            self._pools.put(key, record)
        known = None if before is None else (before.meta.uid, before.meta.generation)
        return known != (record.meta.uid, record.meta.generation)

    def drop_pool(self, body: JsonObject) -> None:
        """A pool was deleted."""
        meta = ObjectMeta.model_validate(body.get("metadata"))
        with self._lock:
            found = self._pools.items.get((meta.namespace, meta.name))
            if found is not None and found.meta.uid == meta.uid:
                self._mark_deleted(self._pools.drop((meta.namespace, meta.name)))

    def put_deployment(self, body: JsonObject) -> bool:
        """A Deployment of ours was seen. True when more than its replicas and status is new to us."""
        view = parse_deployment(body)
        key = (view.namespace, view.name)
        with self._lock:
            before = self._deployments.items.get(key)
            self._deployments.put(key, view)
        return before is None or _marks(before) != _marks(view)

    def drop_deployment(self, body: JsonObject) -> None:
        """A Deployment of ours was deleted."""
        view = parse_deployment(body)
        with self._lock:
            self._deployments.drop((view.namespace, view.name))

    def put_pod(self, body: JsonObject) -> None:
        """A pod of ours was seen."""
        view = parse_pod(body)
        with self._lock:
            self._pods.put((view.namespace, view.name), view)
            self._pods_of = None

    def drop_pod(self, body: JsonObject) -> None:
        """A pod of ours was deleted."""
        view = parse_pod(body)
        with self._lock:
            self._pods.drop((view.namespace, view.name))
            self._pods_of = None

    def resync(
        self,
        pools: Iterable[JsonObject],
        deployments: Iterable[JsonObject],
        pods: Iterable[JsonObject],
        began: float,
    ) -> None:
        """Take in complete lists that were asked for at ``began`` (monotonic seconds)."""
        records = [parse_pool(body) for body in pools]
        alive = {
            (record.meta.namespace, record.meta.name): record
            for record in records
            if record.meta.deletion_timestamp is None
        }
        views = [parse_deployment(body) for body in deployments]
        pod_views = [parse_pod(body) for body in pods]
        with self._lock:
            for key, record in alive.items():
                before = self._pools.items.get(key)
                if before is not None and before.meta.uid != record.meta.uid:
                    self._mark_deleted(self._pools.items.pop(key))
            for record in self._pools.replace(alive, began):
                self._mark_deleted(record)
            self._deployments.replace({(view.namespace, view.name): view for view in views}, began)
            self._pods.replace({(view.namespace, view.name): view for view in pod_views}, began)
            self._pods_of = None

    def take_deleted(self) -> list[GenerationPool]:
        """Pools that were deleted since this was last asked."""
        with self._lock:
            deleted, self._deleted = self._deleted, []
            return deleted

    def _mark_deleted(self, record: PoolRecord | None) -> None:
        if record is not None and record.pool is not None:
            self._deleted.append(record.pool)


def _marks(view: DeploymentView) -> tuple[object, ...]:
    """All that a full pass compares."""
    return view.fingerprint, view.owner, view.spec_hash


def instance(pool: str) -> str:
    """Value of the instance label of a pool's objects."""
    return names.pool_selector(pool)[names.LABEL_INSTANCE]
