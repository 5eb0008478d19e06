"""GenerationPools and their ConfigMaps as an API server has them, for tests of the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genpool_core import names
from genpool_core.api.record import parse_pool
from genpool_core.workerconfig import config_data
from genpool_core.workflow.files import PARAMETERS, TEMPLATE, WorkflowFiles
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import ServedPool, read_files, served_pool

Json = dict[str, Any]
WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
TEXT = "text-to-image"
PEOPLE = "DDColor人物黑白修复.json"
BUILDINGS = "DDColor建筑黑白修复.json"


def pool_object(
    name: str = "pictures",
    *workflows: str,
    namespace: str = "team",
    uid: str = "",
    queue: str = "generation_tasks",
    metadata: Json | None = None,
    status: Json | None = None,
    **spec: object,
) -> Json:
    """A GenerationPool with shipped workflows; ``spec`` adds or replaces fields."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{namespace}-{name}",
            **(metadata or {}),
        },
        "spec": {
            "broker": {"vhost": "pictures"},
            "queue": {"name": queue},
            "workflows": [{"name": item, "source": {"builtin": item}} for item in workflows or (TEXT,)],
            "comfyui": {"image": "comfyui", "resources": {}},
            "storage": {"s3": {"bucket": "results"}},
            **spec,
        },
        "status": status or {},
    }


def config_map_object(pool: Json) -> Json:
    """The ConfigMap that the operator makes of a pool."""
    record = parse_pool(pool)
    assert record.pool is not None, record.error
    files = {
        item.name: WorkflowFiles(
            *((WORKFLOWS / item.name / file).read_text() for file in (TEMPLATE, PARAMETERS))
        )
        for item in record.pool.spec.workflows
    }
    meta = record.meta
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": names.config_map(meta.name),
            "namespace": meta.namespace,
            "labels": names.pool_labels(meta.name),
        },
        "data": config_data(record.pool, files),
    }


def served(pool: Json) -> ServedPool:
    """The pool with its ConfigMap."""
    return served_pool(parse_pool(pool), read_files(config_map_object(pool)["data"], where="ConfigMap"))


def directory(*pools: Json) -> PoolDirectory:
    """All these, with their ConfigMaps."""
    return PoolDirectory.of(served(pool) for pool in pools)
