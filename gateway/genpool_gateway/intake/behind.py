"""The intakes that are in force, and the pools behind each. Pure; who serves what is decided by the operator's code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genpool_core.api.pool import GenerationPool
from genpool_core.intakes import Routes, members, routes
from genpool_core.queue_ownership import intake_in_force
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import ServedPool

IntakeName = tuple[str, str, str]
"""Broker, vhost, queue."""


@dataclass(frozen=True)
class Place:
    """The pool that gets a task."""

    pool: ServedPool
    ready: bool
    """Whether the pool is behind the intake already. The operator says so a moment after its spec does."""


@dataclass(frozen=True)
class Behind:
    """The pools behind one intake."""

    queue: str
    """The intake."""
    by_name: Mapping[str, Place]
    """By the name or an alias of a workflow."""
    fallback: Place | None
    """For tasks that name none."""
    workflows: tuple[str, ...]
    """Names, without aliases, as the refusals list them."""
    pools: tuple[ServedPool, ...]
    """All of them."""


def intake_of(pool: ServedPool) -> IntakeName | None:
    """The intake that a pool has in force."""
    queue = None if pool.manifest is None else intake_in_force(pool.manifest)
    if pool.manifest is None or queue is None:
        return None
    return pool.manifest.spec.broker.name, pool.manifest.spec.broker.vhost, queue


def intakes(directory: PoolDirectory) -> dict[IntakeName, Behind]:
    """All intakes that at least one pool has in force."""
    served = {pool.ref.uid: pool for pool in directory.pools if pool.manifest is not None}
    every = [pool.manifest for pool in served.values() if pool.manifest is not None]
    found: dict[IntakeName, Behind] = {}
    for pool in every:
        queue, broker = intake_in_force(pool), pool.spec.broker
        if queue is None or (broker.name, broker.vhost, queue) in found:
            continue
        neighbours = [other for other in every if other.spec.broker == broker]
        found[broker.name, broker.vhost, queue] = _behind(queue, members(pool, neighbours), served)
    return found


def _behind(queue: str, pools: list[GenerationPool], served: Mapping[str, ServedPool]) -> Behind:
    now = routes([pool for pool in pools if intake_in_force(pool) is not None])
    soon = routes(pools)

    def fallback(found: Routes, *, ready: bool) -> Place | None:
        pool = found.fallback
        return None if pool is None else Place(served[pool.metadata.uid], ready)

    def places(found: Routes, *, ready: bool) -> dict[str, Place]:
        return {name: Place(served[pool.metadata.uid], ready) for name, pool in found.by_name.items()}

    names = {workflow.name for pool in pools for workflow in pool.spec.workflows}
    return Behind(
        queue,
        {**places(soon, ready=False), **places(now, ready=True)},
        fallback(now, ready=True) or fallback(soon, ready=False),
        tuple(sorted(names)),
        tuple(served[pool.metadata.uid] for pool in pools),
    )
