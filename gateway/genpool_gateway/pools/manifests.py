"""Pools from manifests, as somebody applies them, where there is no operator that makes their ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from genpool_core.api.pool import GenerationPool
from genpool_core.api.record import PoolRecord
from genpool_core.intakes import intake_fault, wanted_intake
from genpool_core.jsontypes import JsonObject
from genpool_core.manifests import Manifests, Shipped, read_manifests, workflow_files
from genpool_core.queue_ownership import queue_owner
from genpool_core.workerconfig import config_data
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import PoolFiles, read_files, served_pool


def pools_of(manifests: Iterable[JsonObject], shipped: Shipped) -> PoolDirectory:
    """The GenerationPools among manifests, with the ConfigMaps among them; other kinds are left alone.

    Raises
    ------
    InvalidManifest
        A pool without a name, or two with the same.
    """
    found = read_manifests(manifests)
    every = found.pools
    return PoolDirectory.of(
        served_pool(
            _with_intake(record, every), None if record.pool is None else _files(record.pool, found, shipped)
        )
        for record in found.records
    )


def _with_intake(record: PoolRecord, every: Sequence[GenerationPool]) -> PoolRecord:
    """The pool with the intake that is in force, as an operator would say it in the status."""
    pool = record.pool
    if pool is None or pool.spec.queue.intake is None:
        return record
    taken = queue_owner(pool, every) is not None
    intake = None if taken else wanted_intake(pool, intake_fault(pool, every))
    queue = record.status.queue.model_copy(update={"intake": intake})
    status = record.status.model_copy(update={"queue": queue})
    return replace(record, status=status, pool=pool.model_copy(update={"status": status}))


def _files(pool: GenerationPool, found: Manifests, shipped: Shipped) -> PoolFiles | str:
    files = workflow_files(pool, found.maps, shipped)
    return files if isinstance(files, str) else read_files(config_data(pool, files), where="its workflows")
