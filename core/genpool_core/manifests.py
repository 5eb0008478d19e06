"""GenerationPools and ConfigMaps of files, for one machine without Kubernetes. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.api.record import PoolRecord, parse_pool
from genpool_core.api.workflows import WorkflowSpec
from genpool_core.errors import InvalidManifest
from genpool_core.identity import pool_uid_of
from genpool_core.jsontypes import JsonObject
from genpool_core.kube.objects import AnyObject, ConfigMap
from genpool_core.validation import first_fault
from genpool_core.workflow.files import MissingFiles, WorkflowFiles, files_of_config_map

Shipped = Callable[[str], WorkflowFiles | MissingFiles]
"""The files of a shipped workflow, by its name."""
Key = tuple[str, str]
"""Namespace and name."""
_NAMESPACE = "default"


@dataclass(frozen=True)
class Manifests:
    """What was found among manifests."""

    records: tuple[PoolRecord, ...]
    maps: Mapping[Key, ConfigMap]

    @property
    def pools(self) -> list[GenerationPool]:
        """The pools that can be read."""
        return [record.pool for record in self.records if record.pool is not None]


def read_manifests(manifests: Iterable[JsonObject]) -> Manifests:
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
    return Manifests(tuple(_record(*key, body) for key, body in pools.items()), maps)


def workflow_files(
    pool: GenerationPool, maps: Mapping[Key, ConfigMap], shipped: Shipped
) -> dict[str, WorkflowFiles] | str:
    """The files of each workflow of a pool, by its name; a sentence where one has none."""
    found: dict[str, WorkflowFiles] = {}
    for spec in pool.spec.workflows:
        files = _workflow_files(pool.metadata.namespace, spec, maps, shipped)
        if isinstance(files, MissingFiles):
            return f"workflow {spec.name}: {files.message}"
        found[spec.name] = files
    return found


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
