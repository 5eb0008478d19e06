"""A GenerationPool as it is read: defaults, and one sentence for what is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from genpool_core.api import GenerationPool
from genpool_core.api.base import ApiModel
from genpool_core.errors import InvalidManifest
from genpool_core.workerconfig import (
    FolderConfig,
    S3Config,
    WorkerConfig,
    gpus,
    grace_seconds,
    longest_run_seconds,
    worker_config,
    workflow_keys,
)

BUILTIN = {"builtin": "text-to-image"}
MINIMAL: dict[str, Any] = {
    "apiVersion": "genpool.dev/v1alpha1",
    "kind": "GenerationPool",
    "metadata": {"name": "text", "namespace": "demo", "uid": "uid-1", "generation": 3},
    "spec": {
        "queue": {"name": "generation_tasks"},
        "workflows": [{"name": "text-to-image", "source": BUILTIN}],
        "comfyui": {"image": "comfyui:1"},
        "storage": {"s3": {"bucket": "results"}},
    },
}


def manifest(path: str = "", value: object = None) -> dict[str, Any]:
    """The smallest manifest, with ``value`` at a path such as ``scaling.minReplicas``."""
    body = copy.deepcopy(MINIMAL)
    if path:
        at, keys = body["spec"], path.split(".")
        for key in keys[:-1]:
            at = at.setdefault(key, {})
        at[keys[-1]] = value
    return body


def workflow(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "source": BUILTIN, **more}


def test_the_smallest_manifest() -> None:
    pool = GenerationPool.parse(manifest())
    spec = pool.spec
    assert (pool.metadata.generation, spec.broker.name, spec.broker.vhost) == (3, "default", "/")
    assert (spec.scaling.mode, spec.scaling.min_replicas, spec.scaling.max_replicas) == ("Auto", 0, 1)
    assert spec.queue.retry.max_attempts == 3
    assert spec.comfyui.command == ["python3", "main.py"]
    assert spec.template.security_context is None
    assert pool.status.conditions == []


def test_what_the_api_server_adds_is_ignored() -> None:
    body = manifest()
    body["metadata"] |= {
        "managedFields": [{"manager": "kubectl"}],
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    body["status"] = {"replicas": 2, "scaling": {"desired": 2}}
    pool = GenerationPool.parse(body)
    assert pool.metadata.creation_timestamp is not None
    assert pool.status.scaling.desired == 2


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("queue.nam", "x", "spec.queue.nam: Extra inputs are not permitted"),
        ("queue.name", "", "spec.queue.name: String should have at least 1 character"),
        ("queue.name", "amq.tasks", "spec.queue.name: names that begin with amq. or genpool. are reserved"),
        ("queue.name", "genpool.events", "spec.queue.name: names that begin with amq. or genpool. are"),
        ("queue.name", "a\nb", "spec.queue.name: String should match pattern"),
        ("queue.name", "任" * 100, "spec.queue.name: the name has more than 255 bytes in UTF-8"),
        (
            "queue.retry.maxAttempts",
            0,
            "spec.queue.retry.maxAttempts: Input should be greater than or equal to 1",
        ),
        ("queue.messageTTLSeconds", 0, "spec.queue.messageTTLSeconds: Input should be greater"),
        (
            "scaling",
            {"minReplicas": 3, "maxReplicas": 2},
            "spec.scaling: minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas",
        ),
        ("scaling.mode", "Pinned", "spec.scaling: mode Pinned needs replicas: set scaling.replicas"),
        ("scaling.mode", "Magic", "spec.scaling.mode: Input should be 'Auto', 'Pinned' or 'Hold'"),
        ("workflows", [], "spec: workflows is empty: list at least one"),
        (
            "workflows",
            [workflow("a", fallback=True), workflow("b", fallback=True)],
            "spec: only one workflow can be the fallback: set fallback on one entry of workflows",
        ),
        (
            "workflows",
            [workflow("a"), workflow("b", aliases=["a"])],
            "spec: two workflows have the name or alias 'a': rename one of them",
        ),
        (
            "workflows",
            [{"name": "a", "source": {}}],
            "spec.workflows.0.source: a workflow's source is either builtin or configMap",
        ),
        (
            "workflows",
            [
                {
                    "name": "a",
                    "source": {**BUILTIN, "configMap": {"name": "c", "key": "k", "parametersKey": "p"}},
                }
            ],
            "spec.workflows.0.source: a workflow's source is either builtin or configMap",
        ),
        (
            "workflows",
            [{"name": "a", "source": {"configMap": {"name": "c", "key": "日.json", "parametersKey": "p"}}}],
            "spec.workflows.0.source.configMap.key: String should match pattern",
        ),
        (
            "security.allowGraphs",
            True,
            "spec: allowGraphs without storage.s3.credentials gives every graph the pod identity's rights on",
        ),
        (
            "security",
            {"allowGraphs": True, "allowGraphsWithPodIdentity": False},
            "spec: allowGraphs without storage.s3.credentials gives every graph",
        ),
        ("storage.s3.bucket", "UPPER", "spec.storage.s3.bucket: String should match pattern"),
        ("storage.s3.prefix", "no-slash", "spec.storage.s3.prefix: String should match pattern"),
        ("storage.s3.endpoint", "s3:9000", "spec.storage.s3.endpoint: String should match pattern"),
        ("storage.s3.endpoint", "http://user:pw@s3", "spec.storage.s3.endpoint: String should match pattern"),
        ("storage.type", "NFS", "spec.storage.type: Input should be 'S3' or 'Folder'"),
        (
            "storage",
            {},
            "spec.storage: type S3 needs the block s3, with the bucket at least, and no block folder",
        ),
        ("storage.folder", {"path": "/srv/a"}, "spec.storage: type S3 needs the block s3"),
        ("storage.type", "Folder", "spec.storage: type Folder needs the block folder, with its path, and no"),
        ("storage", {"type": "Folder"}, "spec.storage: type Folder needs the block folder"),
        *(
            (
                "storage",
                {"type": "Folder", "folder": {"path": path}},
                "spec.storage.folder.path: String should match pattern",
            )
            for path in (
                "srv/a",
                "/",
                "/srv/",
                "/srv//a",
                "/srv/../a",
                "/srv/..a",
                "/srv/.",
                "/a\nb",
                "/a,b",
                "",
            )
        ),
        (
            "storage",
            {"type": "Folder", "folder": {"path": "/" + "a" * 500}},
            "spec.storage.folder.path: String should have at most 500 characters",
        ),
        (
            "comfyui.resources",
            {"limits": {"memory": "16GB"}},
            "spec.comfyui.resources: limits.memory: '16GB' is no quantity: write for example 16Gi or 16G, 500m, ",
        ),
        (
            "worker.resources",
            {"requests": {"cpu": ""}},
            "spec.worker.resources: requests.cpu: '' is no quantity",
        ),
        ("comfyui.scratchSize", "10 GB", "spec.comfyui.scratchSize: String should match pattern"),
        (
            "security.imageHosts",
            [{"host": "a", "cidrs": ["10.0.0.0/33"]}],
            "spec.security.imageHosts.0.cidrs.0: '10.0.0.0/33' is not a network: write for example 10.0.0.0/8",
        ),
        (
            "security.imageHosts",
            [{"host": "http://a"}],
            "spec.security.imageHosts.0.host: String should match pattern",
        ),
        ("security.imageHosts", [{"host": "a", "ports": [0]}], "spec.security.imageHosts.0.ports.0: "),
        ("template.hostNetwork", True, "spec.template.hostNetwork: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong(path: str, value: object, sentence: str) -> None:
    with pytest.raises(InvalidManifest) as caught:
        GenerationPool.parse(manifest(path, value))
    assert caught.value.message.startswith(sentence)
    assert "pw@" not in caught.value.message


@pytest.mark.parametrize(
    "amount", ["16Gi", "16G", "0.5", ".5", "1.", "500m", "1e3", "1E3", "1E", "-1", 1, 0.5]
)
def test_quantities_as_kubernetes_reads_them(amount: object) -> None:
    pool = GenerationPool.parse(manifest("comfyui.resources", {"limits": {"x": amount}, "claims": []}))
    assert pool.spec.comfyui.resources == {"limits": {"x": amount}, "claims": []}


@pytest.mark.parametrize(
    ("security", "keys"),
    [
        ({"allowGraphs": True, "allowGraphsWithPodIdentity": True}, None),
        ({"allowGraphs": True}, {"name": "bucket-keys"}),
        ({"allowGraphsWithPodIdentity": True}, None),
        ({}, None),
    ],
)
def test_graphs_beside_a_pod_identity_need_a_yes(
    security: dict[str, bool], keys: dict[str, str] | None
) -> None:
    body = manifest("security", security)
    if keys is not None:
        body["spec"]["storage"]["s3"]["credentials"] = keys
    assert GenerationPool.parse(body).spec.security.allow_graphs is security.get("allowGraphs", False)


def test_another_kind_is_no_pool() -> None:
    with pytest.raises(InvalidManifest, match="kind"):
        GenerationPool.parse({**manifest(), "kind": "Pod"})


def _models(model: type[ApiModel]) -> Iterator[type[ApiModel]]:
    yield model
    for child in model.__subclasses__():
        yield from _models(child)


def test_every_field_is_explained() -> None:
    for model in _models(ApiModel):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.mark.parametrize(
    ("timeouts", "explicit", "grace"),
    [
        ([10], None, 600),
        ([480], None, 600),
        ([481], None, 601),
        ([60, 3600], None, 3720),
        ([3600], 45, 45),
    ],
)
def test_grace_covers_the_longest_run(timeouts: list[int], explicit: int | None, grace: int) -> None:
    body = manifest(
        "workflows", [workflow(f"w{index}", timeoutSeconds=value) for index, value in enumerate(timeouts)]
    )
    if explicit is not None:
        body["spec"]["template"] = {"terminationGracePeriodSeconds": explicit}
    pool = GenerationPool.parse(body)
    assert longest_run_seconds(pool) == max(timeouts)
    assert grace_seconds(pool) == grace


@pytest.mark.parametrize(
    ("workflows", "fallbacks"),
    [
        ([workflow("a")], ["a"]),
        ([workflow("a"), workflow("b")], []),
        ([workflow("a"), workflow("b", fallback=True)], ["b"]),
    ],
)
def test_which_workflow_is_the_fallback(workflows: list[dict[str, Any]], fallbacks: list[str]) -> None:
    config = worker_config(GenerationPool.parse(manifest("workflows", workflows)))
    assert [entry.name for entry in config.workflows if entry.fallback] == fallbacks


@pytest.mark.parametrize("path", ["/srv/genpool", "/home/人/.local/share/results", "/a"])
def test_a_worker_is_told_of_its_folder(path: str) -> None:
    body = manifest("storage", {"type": "Folder", "folder": {"path": path, "urlTTLSeconds": 60}})
    body["spec"]["security"] = {"allowGraphs": True}
    config = worker_config(GenerationPool.parse(body))
    assert config.store == FolderConfig(path=path, url_ttl_seconds=60)
    assert (config.store.prefix, config.store.place, str(config.store)) == ("", path, f"folder {path}")
    assert WorkerConfig.model_validate_json(config.model_dump_json()) == config


def test_a_configuration_has_one_store() -> None:
    config = worker_config(GenerationPool.parse(manifest()))
    for changes in ({"s3": None}, {"folder": {"path": "/a"}}):
        with pytest.raises(ValidationError, match="exactly one of s3 and folder"):
            WorkerConfig.model_validate({**config.model_dump(), **changes})


def test_results_of_the_time_before_are_in_another_bucket_or_folder() -> None:
    bucket = S3Config(bucket="new", endpoint="http://s3:9000", prefix="a/")
    assert bucket.at("old") == S3Config(bucket="old", endpoint="http://s3:9000", prefix="a/")
    assert bucket.at("/srv/a") is None
    folder = FolderConfig(path="/srv/new")
    assert folder.at("/srv/a") == FolderConfig(path="/srv/a")
    assert folder.at("old") is None


def test_what_a_worker_is_told() -> None:
    body = manifest(
        "security", {"imageHosts": [{"host": "a.example"}], "maxInput": "1Mi", "allowGraphs": True}
    )
    body["spec"]["storage"]["s3"]["credentials"] = {"name": "s3-credentials"}
    config = worker_config(GenerationPool.parse(body))
    assert (config.queue, config.dead_queue) == ("generation_tasks", "generation_tasks.dead")
    assert (config.pool.namespace, config.pool.name, config.pool.uid) == ("demo", "text", "uid-1")
    assert (config.max_input_bytes, config.allow_graphs, config.store.place) == (2**20, True, "results")
    assert [rule.host for rule in config.image_hosts] == ["a.example"]
    text = config.model_dump_json()
    assert WorkerConfig.model_validate_json(text) == config
    assert "credentials" not in text
    assert (config.comfyui_image, config.gpus) == (body["spec"]["comfyui"]["image"], 1)


@pytest.mark.parametrize(
    ("resources", "count"),
    [
        (None, 1),
        ({}, 1),
        ({"limits": {"cpu": 8, "memory": "16Gi", "ephemeral-storage": "9Gi"}}, 1),
        ({"limits": {"nvidia.com/gpu": 2}}, 2),
        ({"limits": {"nvidia.com/gpu": "4", "cpu": "8"}}, 4),
        ({"limits": {"amd.com/gpu": 3}}, 3),
        ({"limits": {"nvidia.com/gpu.shared": 2}}, 2),
        ({"limits": {"nvidia.com/mig-1g.5gb": 2}}, 2),
        ({"limits": {"gpu.intel.com/i915": 2}}, 2),
        ({"limits": {"nvidia.com/gpu": "0"}}, 1),
        ({"limits": {"nvidia.com/gpu": "many"}}, 1),
        ({"requests": {"nvidia.com/gpu": 2}}, 1),
        ({"limits": {"example.com/gpubox": 7}}, 1),
    ],
)
def test_how_many_gpus_a_pod_counts(resources: dict[str, Any] | None, count: int) -> None:
    assert gpus(resources) == count


def test_the_keys_of_a_workflow_are_ascii_and_its_own() -> None:
    names = ["text-to-image", "DDColor人物黑白修复.json", "DDColor建筑黑白修复.json", "../../x", "A" * 128]
    keys = [key for name in names for key in workflow_keys(name)]
    assert len(set(keys)) == 2 * len(names)
    for key in keys:
        assert key.isascii()
        assert key.replace("-", "").replace(".", "").isalnum()
