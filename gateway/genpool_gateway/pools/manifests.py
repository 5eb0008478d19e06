"""Pools from manifests, as somebody applies them, where there is no operator that makes their ConfigMaps."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.api.record import PoolRecord, parse_pool
from genpool_core.api.workflows import WorkflowSpec
from genpool_core.errors import InvalidManifest
from genpool_core.identity import pool_uid_of
from genpool_core.intakes import intake_fault, wanted_intake
from genpool_core.jsontypes import JsonObject
from genpool_core.kube.objects import AnyObject, ConfigMap
from genpool_core.queue_ownership import queue_owner
from genpool_core.validation import first_fault
from genpool_core.workerconfig import config_data
from genpool_core.workflow.files import MissingFiles, WorkflowFiles, files_of_config_map
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import PoolFiles, read_files, served_pool

Shipped = Callable[[str], WorkflowFiles | MissingFiles]
"""The files of a shipped workflow, by its name."""
_NAMESPACE = "default"
Key = tuple[str, str]


def pools_of(manifests: Iterable[JsonObject], shipped: Shipped) -> PoolDirectory:
    """The GenerationPools among manifests, with the ConfigMaps among them; other kinds are left alone.

    Raises
    ------
    InvalidManifest
        A pool without a name, or two with the same.
    """
    pools: dict[Key, JsonObject] = {}
    maps: dict[Key, ConfigMap] = {}
    for manifest in manifests:
        meta = AnyObject.read_object(manifest).metadata
        key = meta.namespace or _NAMESPACE, meta.name
        if manifest.get("kind") == "ConfigMap":
            maps[key] = ConfigMap.read_object(manifest)
        elif manifest.get("kind") == names.KIND:
            if key in pools:
                raise InvalidManifest(
                    f"GenerationPool {'/'.join(key)} is there twice: take one of them away."
                )
            pools[key] = manifest
    records = [_record(*key, body) for key, body in pools.items()]
    every = [record.pool for record in records if record.pool is not None]
    return PoolDirectory.of(
        served_pool(
            _with_intake(record, every), None if record.pool is None else _files(record.pool, maps, shipped)
        )
        for record in records
    )


def _record(namespace: str, name: str, body: JsonObject) -> PoolRecord:
    given = body.get("metadata")
    metadata = dict(given) if isinstance(given, dict) else {}
    metadata["namespace"] = namespace
    metadata.setdefault("uid", pool_uid_of(namespace, name))
    try:
        return parse_pool({**body, "metadata": metadata})
    except ValidationError as error:
        raise InvalidManifest(
            f"GenerationPool {name or '(no name)'}: metadata.{first_fault(error)}."
        ) from None


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


def _files(pool: GenerationPool, maps: Mapping[Key, ConfigMap], shipped: Shipped) -> PoolFiles | str:
    found: dict[str, WorkflowFiles] = {}
    for spec in pool.spec.workflows:
        files = _workflow_files(pool.metadata.namespace, spec, maps, shipped)
        if isinstance(files, MissingFiles):
            return f"workflow {spec.name}: {files.message}"
        found[spec.name] = files
    return read_files(config_data(pool, found), where="its workflows")


def _workflow_files(
    namespace: str, spec: WorkflowSpec, maps: Mapping[Key, ConfigMap], shipped: Shipped
) -> WorkflowFiles | MissingFiles:
    source = spec.source.config_map
    if source is None:
        return shipped(spec.source.builtin or "")
    found = maps.get((namespace, source.name))
    if found is None:
        return MissingFiles(
            f"there is no ConfigMap {source.name} of namespace {namespace} in the files: add it."
        )
    binary = {}
    for key, value in found.binary_data.items():
        try:
            binary[key] = base64.b64decode(value, validate=True)
        except ValueError:
            return MissingFiles(f"key {key} of ConfigMap {source.name} is no base64.")
    return files_of_config_map(source, found.data, binary)
