"""What the operator tells the workers of a pool, in the pool's ConfigMap beside the workflow files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.security import HostRule
from genpool_core.api.storage import S3Spec
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


class WorkerConfig(Message):
    """Everything about the pool that a worker must know."""

    pool: PoolRef
    queue: str
    dead_queue: str
    max_attempts: int
    workflows: list[WorkflowEntry]
    s3: S3Config
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


def s3_config(spec: S3Spec) -> S3Config:
    """The bucket that a spec names."""
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
        s3=s3_config(spec.storage.s3),
        image_hosts=list(spec.security.image_hosts),
        callback_hosts=list(spec.security.callback_hosts),
        max_input_bytes=to_bytes(spec.security.max_input),
        allow_graphs=spec.security.allow_graphs,
        grace_seconds=grace_seconds(pool),
        comfyui_image=spec.comfyui.image,
        gpus=gpus(spec.comfyui.resources),
        previews=spec.worker.previews,
    )
