"""A pool as the gateway serves it, from the GenerationPool and the ConfigMap that the operator made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from genpool_core import conditions, names
from genpool_core.api.pool import GenerationPool
from genpool_core.api.record import PoolRecord
from genpool_core.api.security import HostRule
from genpool_core.api.spec import GenerationPoolSpec
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import InvalidManifest, SettingsError
from genpool_core.messages.base import PoolRef
from genpool_core.validation import first_fault
from genpool_core.workerconfig import CONFIG_KEY, WorkerConfig
from genpool_core.workflow.catalog import Catalog, catalog_from


@dataclass(frozen=True)
class PoolFiles:
    """What the pool's workers read: the configuration and the workflows in force."""

    config: WorkerConfig
    catalog: Catalog


@dataclass(frozen=True)
class Serving:
    """All that is needed to check a task and to publish it."""

    broker: str
    """Name of a broker in the platform's brokers file."""
    vhost: str
    queue: str
    config: WorkerConfig
    catalog: Catalog


@dataclass(frozen=True)
class ServedPool:
    """A pool: its object's values as they are shown, and either what it serves or why it takes no task."""

    ref: PoolRef
    status: GenerationPoolStatus
    spec: GenerationPoolSpec | None
    """None where the object cannot be read."""
    serving: Serving | None
    trouble: str | None
    """Why it takes no task; None exactly where it serves."""
    manifest: GenerationPool | None = None
    """The object itself, for what is decided among several; None where it cannot be read."""

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return f"{self.ref.namespace}/{self.ref.name}"

    @property
    def retention_seconds(self) -> int | None:
        """How long files of its tasks are kept; None: for ever, or not known."""
        return None if self.spec is None else self.spec.storage.retention_seconds

    @property
    def callback_hosts(self) -> Sequence[HostRule] | None:
        """Where callbacks of its tasks may go, every public host when empty; None where the spec cannot be read."""
        if self.serving is not None:
            return self.serving.config.callback_hosts
        return None if self.spec is None else self.spec.security.callback_hosts


def read_files(data: Mapping[str, str], *, where: str) -> PoolFiles | str:
    """Read the data of a pool's ConfigMap; a sentence that begins with ``where``, where that cannot be done."""
    text = data.get(CONFIG_KEY)
    if text is None:
        return f"{where} has no key {CONFIG_KEY}: the operator writes it."
    try:
        config = WorkerConfig.model_validate_json(text)
        return PoolFiles(config, catalog_from(config, data))
    except ValidationError as error:
        return f"{where}, {CONFIG_KEY}: {first_fault(error)}."
    except (SettingsError, InvalidManifest) as error:
        return f"{where}: {error.message}"


def served_pool(record: PoolRecord, files: PoolFiles | str | None) -> ServedPool:
    """Put a pool together; ``files``: what it serves, or why that cannot be read; None where there is no ConfigMap."""
    meta, pool = record.meta, record.pool
    ref = PoolRef(namespace=meta.namespace, name=meta.name, uid=meta.uid)
    found = _serving(record, files)
    return ServedPool(
        ref,
        record.status,
        None if pool is None else pool.spec,
        serving=found if isinstance(found, Serving) else None,
        trouble=found if isinstance(found, str) else None,
        manifest=pool,
    )


def _serving(record: PoolRecord, files: PoolFiles | str | None) -> Serving | str:
    """What the pool serves, or why it serves nothing.

    A spec that the operator refuses leaves the ConfigMap of the spec before it in force: workers go on with that, and
    so does the gateway.
    """
    meta = record.meta
    who, config_map = f"GenerationPool {meta.namespace}/{meta.name}", names.config_map(meta.name)
    if meta.deletion_timestamp is not None:
        return f"{who} is being deleted."
    if record.pool is None:
        return f"{who} cannot be read: {record.error.message if record.error else 'its spec is invalid'}."
    if files is None:
        return f"{who} has no ConfigMap {config_map} yet: {_pending(record.status)}"
    if isinstance(files, str):
        return f"{who} cannot be served: {files}"
    if files.config.pool.uid != meta.uid:
        return f"ConfigMap {config_map} of {who} is of an earlier pool of this name: the operator writes it anew."
    broker, config = record.pool.spec.broker, files.config
    return Serving(broker.name, broker.vhost, config.queue, config, files.catalog)


def _pending(status: GenerationPoolStatus) -> str:
    """Why the operator has not made the ConfigMap."""
    accepted = conditions.find(status.conditions, conditions.ACCEPTED)
    if accepted is not None and accepted.status == "False":
        return accepted.message
    return "the operator makes it when it has looked at the pool."
