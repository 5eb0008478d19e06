"""What the operator tells the workers of a pool, in the pool's ConfigMap beside the workflow files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.security import HostRule
from genpool_core.api.storage import StorageSpec
from genpool_core.canonical import digest
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.messages.base import Message, PoolRef
from genpool_core.quantity import to_bytes
from genpool_core.workflow.files import WorkflowFiles

#: Key of the configuration in the ConfigMap.
CONFIG_KEY = "pool.json"
#: Where the ConfigMap is mounted in the worker container.
CONFIG_PATH = "/etc/genpool"
#: Of ComfyUI's container, where the pool sets none.
DEFAULT_RESOURCES: JsonObject = {"limits": {"nvidia.com/gpu": 1}}
#: nvidia.com/gpu, nvidia.com/gpu.shared, nvidia.com/mig-1g.5gb, amd.com/gpu, gpu.intel.com/i915.
_GPU = re.compile(r"/gpu(\.|$)|/mig-|^gpu\.")


class WorkflowEntry(Message):
    """A workflow and the keys of its two files in the ConfigMap."""

    name: str
    aliases: list[str] = []
    template_key: str
    parameters_key: str
    timeout_seconds: int
    fallback: bool = False


class S3Config(Message):
    """The bucket; its keys are files in the worker's container."""

    endpoint: str | None = None
    public_endpoint: str | None = None
    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    url_ttl_seconds: int = timing.LINK_SECONDS

    @property
    def place(self) -> str:
        """What end records name as the place of a result."""
        return self.bucket

    @property
    def address(self) -> tuple[str | None, str]:
        """Endpoint and bucket: what tells stores apart."""
        return self.endpoint, self.bucket

    def at(self, place: str) -> StoreConfig | None:
        """The same store with another bucket, for results of the time before; None where they are in no bucket."""
        return None if place.startswith("/") else self.model_copy(update={"bucket": place})

    def __str__(self) -> str:
        """As sentences name it."""
        return f"bucket {self.bucket} at {self.endpoint or f'AWS region {self.region}'}"


class FolderConfig(Message):
    """The folder of one machine. Its keys have no prefix: another path says the same."""

    path: str
    url_ttl_seconds: int = timing.LINK_SECONDS

    @property
    def prefix(self) -> str:
        """Before every key: nothing."""
        return ""

    @property
    def place(self) -> str:
        """What end records name as the place of a result. No bucket's name begins with a slash, as this does."""
        return self.path

    @property
    def address(self) -> tuple[str | None, str]:
        """No endpoint, and the path: what tells stores apart."""
        return None, self.path

    def at(self, place: str) -> StoreConfig | None:
        """Another folder, for results of the time before; None where they are in no folder."""
        return self.model_copy(update={"path": place}) if place.startswith("/") else None

    def __str__(self) -> str:
        """As sentences name it."""
        return f"folder {self.path}"


#: Where a pool's results and records are.
StoreConfig = S3Config | FolderConfig


def store_at(address: tuple[str | None, str], *, prefix: str, region: str) -> StoreConfig:
    """The store of an address, as far as it takes to use it."""
    endpoint, place = address
    if place.startswith("/"):
        return FolderConfig(path=place)
    return S3Config(endpoint=endpoint, bucket=place, prefix=prefix, region=region)


class WorkerConfig(Message):
    """Everything about the pool that a worker must know."""

    pool: PoolRef
    queue: str
    dead_queue: str
    max_attempts: int
    workflows: list[WorkflowEntry]
    s3: S3Config | None = None
    """The bucket; exactly one of this and ``folder`` is there."""
    folder: FolderConfig | None = None
    """The folder, of a pool on one machine."""
    image_hosts: list[HostRule] = []
    callback_hosts: list[HostRule] = []
    max_input_bytes: int
    allow_graphs: bool = False
    grace_seconds: int
    comfyui_image: str | None = None
    """The image of ComfyUI's container, as the pool names it."""
    gpus: int = 1
    """GPUs of a pod, by which the seconds of a run are multiplied.

    A pod without a GPU counts as one, because such pods have a price too; so does one whose GPUs come otherwise than by
    a limit of ComfyUI's container.
    """
    previews: bool = False
    """Whether ComfyUI is asked for previews."""

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if (self.s3 is None) == (self.folder is None):
            raise ValueError("exactly one of s3 and folder must be there: the operator writes it")
        return self

    @property
    def store(self) -> StoreConfig:
        """Where results and records are."""
        store = self.folder or self.s3
        assert store is not None  # noqa: S101 - the validator
        return store


def workflow_keys(name: str) -> tuple[str, str]:
    """Keys of a workflow's template and parameters. A ConfigMap's keys are ASCII, a workflow's name is not."""
    stem = f"workflow-{digest(name.encode())[:12]}"
    return f"{stem}.json", f"{stem}.yaml"


def config_data(pool: GenerationPool, workflows: Mapping[str, WorkflowFiles]) -> dict[str, str]:
    """Data of the pool's ConfigMap; ``workflows`` holds the files of each workflow of the spec, by name."""
    config = worker_config(pool).model_dump(mode="json")
    data = {CONFIG_KEY: json.dumps(config, ensure_ascii=False, indent=1, sort_keys=True)}
    for name, files in sorted(workflows.items()):
        template_key, parameters_key = workflow_keys(name)
        data[template_key] = files.template
        data[parameters_key] = files.parameters
    return data


def grace_seconds(pool: GenerationPool) -> int:
    """Grace period of the pods: what the pool says, else the longest run with its margin."""
    explicit = pool.spec.template.termination_grace_period_seconds
    return explicit or default_grace_seconds(longest_run_seconds(pool))


def default_grace_seconds(longest_run: int) -> int:
    """Grace period of pods whose pool sets none, from the longest run in seconds."""
    return max(timing.MIN_GRACE_SECONDS, longest_run + timing.GRACE_MARGIN_SECONDS)


def longest_run_seconds(pool: GenerationPool) -> int:
    """Longest time-out among the pool's workflows."""
    return max((workflow.timeout_seconds for workflow in pool.spec.workflows), default=0)


def gpus(resources: JsonObject | None) -> int:
    """GPUs of ComfyUI's container by its limits, at least 1. A part of a GPU that is a resource counts as one."""
    limits = (DEFAULT_RESOURCES if resources is None else resources).get("limits")
    if not isinstance(limits, dict):
        return 1
    return max(1, sum(_whole(amount) for name, amount in limits.items() if _GPU.search(name)))


def _whole(amount: JsonValue) -> int:
    text = str(amount)
    return int(text) if text.isascii() and text.isdigit() else 0


def store_config(storage: StorageSpec) -> StoreConfig:
    """The bucket or folder that a spec names."""
    if storage.folder is not None:
        return FolderConfig(path=storage.folder.path, url_ttl_seconds=storage.folder.url_ttl_seconds)
    spec = storage.s3
    assert spec is not None  # noqa: S101 - the spec's validator
    return S3Config(
        endpoint=spec.endpoint,
        public_endpoint=spec.public_endpoint,
        bucket=spec.bucket,
        prefix=spec.prefix,
        region=spec.region,
        url_ttl_seconds=spec.url_ttl_seconds,
    )


def worker_config(pool: GenerationPool) -> WorkerConfig:
    """The configuration for a pool's workers."""
    spec, meta = pool.spec, pool.metadata
    store = store_config(spec.storage)
    return WorkerConfig(
        pool=PoolRef(namespace=meta.namespace, name=meta.name, uid=meta.uid),
        queue=spec.queue.name,
        dead_queue=names.dead_queue(spec.queue.name),
        max_attempts=spec.queue.retry.max_attempts,
        workflows=[
            WorkflowEntry(
                name=workflow.name,
                aliases=list(workflow.aliases),
                template_key=workflow_keys(workflow.name)[0],
                parameters_key=workflow_keys(workflow.name)[1],
                timeout_seconds=workflow.timeout_seconds,
                fallback=workflow.fallback or len(spec.workflows) == 1,
            )
            for workflow in spec.workflows
        ],
        s3=store if isinstance(store, S3Config) else None,
        folder=store if isinstance(store, FolderConfig) else None,
        image_hosts=list(spec.security.image_hosts),
        callback_hosts=list(spec.security.callback_hosts),
        max_input_bytes=to_bytes(spec.security.max_input),
        allow_graphs=spec.security.allow_graphs,
        grace_seconds=grace_seconds(pool),
        comfyui_image=spec.comfyui.image,
        gpus=gpus(spec.comfyui.resources),
        previews=spec.worker.previews,
    )
