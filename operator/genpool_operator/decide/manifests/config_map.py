"""The ConfigMap that a pool's workers read: the pool's configuration and the workflow files, under ASCII keys."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.canonical import canonical_json, digest
from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.workerconfig import config_data
from genpool_core.workflow.files import WorkflowFiles
from genpool_operator.decide.manifests.common import metadata

#: Kubernetes' limit for an object is 1 MiB with its metadata.
MAX_BYTES = 1_000_000


def build_config_map(pool: GenerationPool, workflows: Mapping[str, WorkflowFiles]) -> JsonObject:
    """The ConfigMap; ``workflows`` holds the checked files of each workflow of the spec, by name.

    Raises
    ------
    InvalidManifest
        The workflows are too large for one ConfigMap.
    """
    data = config_data(pool, workflows)
    size = sum(len(value.encode()) for value in data.values())
    if size > MAX_BYTES:
        raise InvalidManifest(
            f"spec.workflows: the files are {size} bytes together, a ConfigMap holds {MAX_BYTES}: "
            "serve some of the workflows from another pool.",
            reason="InvalidWorkflow",
        )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(pool, names.config_map(pool.metadata.name)),
        "data": {**data},
    }


def data_hash(config_map: JsonObject) -> str:
    """Hash of a ConfigMap's data; the pods are replaced when it changes."""
    return digest(canonical_json(config_map.get("data") or {}))[:16]
