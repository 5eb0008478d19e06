"""Manifests of a pool, input to output. ``GENPOOL_GOLDEN=write`` writes what comes out; read the difference then."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core.api.pool import GenerationPool
from genpool_core.errors import InvalidManifest
from genpool_core.workerconfig import WorkerConfig
from genpool_core.workflow.files import WorkflowFiles
from genpool_operator.decide.manifests import (
    PodDefaults,
    build_callback_secret,
    build_config_map,
    build_deployment,
    build_initial_deployment,
    build_worker_login,
)
from genpool_operator.decide.manifests.config_map import data_hash
from unit.operator.pools import INSTALLATION, SETTINGS, make_pool

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).parent / "golden"
CASES = sorted(FOLDER.glob("*.in.yaml"))


def files(pool: GenerationPool) -> dict[str, WorkflowFiles]:
    return {
        item.name: WorkflowFiles(f"template of {item.name}", f"parameters of {item.name}")
        for item in pool.spec.workflows
    }


def manifests(pool: GenerationPool) -> list[dict[str, Any]]:
    config_map = build_config_map(pool, files(pool))
    return [
        config_map,
        build_worker_login(pool, INSTALLATION),
        build_callback_secret(pool, INSTALLATION),
        build_initial_deployment(pool, SETTINGS),
        build_deployment(pool, SETTINGS, data_hash(config_map)),
    ]


class _Plain(yaml.SafeDumper):
    """No anchors: shared values are written out."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_golden(case: Path) -> None:
    pool = GenerationPool.parse(yaml.safe_load(case.read_text()))
    found = manifests(pool)
    golden = case.with_name(case.name.replace(".in.", ".out."))
    if os.environ.get("GENPOOL_GOLDEN") == "write":
        text = yaml.dump_all(found, Dumper=_Plain, sort_keys=True, allow_unicode=True, width=110)
        golden.write_text(text)
    assert found == list(yaml.safe_load_all(golden.read_text()))


def pod_spec(**changes: object) -> dict[str, Any]:
    deployment: dict[str, Any] = build_deployment(make_pool(**changes), SETTINGS, "hash")
    return deployment["spec"]["template"]["spec"]


def comfyui_of(pod: dict[str, Any]) -> dict[str, Any]:
    (found,) = [container for container in pod["initContainers"] if container["name"] == "comfyui"]
    return dict(found)


def test_the_deployment_never_says_replicas() -> None:
    deployment: dict[str, Any] = build_deployment(
        make_pool(scaling={"mode": "Pinned", "replicas": 7}), SETTINGS, "h"
    )
    assert "replicas" not in deployment["spec"]
    initial: dict[str, Any] = build_initial_deployment(make_pool(), SETTINGS)
    assert initial["spec"]["replicas"] == 0


def test_what_the_initial_manager_owns_stays_in_every_manifest() -> None:
    """Else a field that the operator drops would live on, owned by the manager that nobody uses any more."""

    def owned(wanted: object, live: object) -> bool:
        if isinstance(wanted, dict):
            return all(key in live and owned(value, live[key]) for key, value in wanted.items())
        if isinstance(wanted, list):
            return all(any(owned(item, other) for other in live) for item in wanted)
        return bool(wanted == live)

    initial: dict[str, Any] = build_initial_deployment(make_pool(), SETTINGS)
    del initial["spec"]["replicas"]
    assert owned(initial, build_deployment(make_pool(), SETTINGS, "hash"))


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({"comfyui": {"image": "example/comfyui:2"}}, True),
        ({"template": {"nodeSelector": {"gpu": "a10"}}}, True),
        ({"scaling": {"maxReplicas": 9}}, False),
    ],
)
def test_the_hash_follows_what_the_pods_are(change: dict[str, Any], *, other: bool) -> None:
    def spec_hash(pool: GenerationPool) -> str:
        config_map = build_config_map(pool, files(pool))
        deployment: dict[str, Any] = build_deployment(pool, SETTINGS, data_hash(config_map))
        return str(deployment["metadata"]["annotations"]["genpool.dev/spec-hash"])

    assert (spec_hash(make_pool()) != spec_hash(make_pool(**change))) is other


def test_changed_workflow_files_mean_other_pods() -> None:
    pool = make_pool()
    one = data_hash(build_config_map(pool, {"text-to-image": WorkflowFiles("{}", "a: 1")}))
    assert one != data_hash(build_config_map(pool, {"text-to-image": WorkflowFiles("{}", "a: 2")}))


def test_on_eks_an_identity_of_the_pod_is_the_workers_alone() -> None:
    """The annotation names every other container, and the pool cannot take one out."""
    key = "eks.amazonaws.com/skip-containers"
    pool = make_pool(template={"metadata": {"annotations": {key: "worker"}}})
    template: Any = build_deployment(pool, SETTINGS, "x")["spec"]["template"]  # type: ignore[index, call-overload]
    others = [item["name"] for item in template["spec"]["initContainers"]]
    assert template["metadata"]["annotations"][key].split(",") == others
    assert [item["name"] for item in template["spec"]["containers"]] == ["worker"]


def test_chinese_names_are_data_and_keys_are_ascii() -> None:
    name = "DDColor人物黑白修复.json"
    pool = make_pool(workflows=[{"name": name, "source": {"builtin": name}}])
    data: Any = build_config_map(pool, files(pool))["data"]
    assert all(key.isascii() for key in data)
    config = WorkerConfig.model_validate_json(data["pool.json"])
    entry = config.workflows[0]
    assert entry.name == name
    assert data[entry.template_key] == f"template of {name}"
    assert name in data["pool.json"]


def test_too_many_workflows_for_one_config_map() -> None:
    with pytest.raises(InvalidManifest, match="serve some of the workflows from another pool"):
        build_config_map(make_pool(), {"text-to-image": WorkflowFiles("x" * 1_000_000, "")})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("terminationGracePeriodSeconds",), 720),
        (("automountServiceAccountToken",), False),
        (("initContainers", 1, "restartPolicy"), "Always"),
        (("initContainers", 1, "resources"), {"limits": {"nvidia.com/gpu": 1}}),
        (("initContainers", 1, "livenessProbe", "terminationGracePeriodSeconds"), 5),
        (("securityContext", "runAsNonRoot"), True),
    ],
)
def test_what_the_pod_promises(path: tuple[str | int, ...], expected: object) -> None:
    value: Any = pod_spec()
    for key in path:
        value = value[key]
    assert value == expected


def test_comfyui_has_no_readiness_probe() -> None:
    assert "readinessProbe" not in comfyui_of(pod_spec())


def test_no_password_in_a_deployment() -> None:
    assert "made-by-the-caller" not in json.dumps(pod_spec())


def test_workers_trust_the_authority_of_their_broker() -> None:
    def told(settings: PodDefaults) -> list[str]:
        deployment: dict[str, Any] = build_deployment(make_pool(), settings, "hash")
        (worker,) = [
            item for item in deployment["spec"]["template"]["spec"]["containers"] if item["name"] == "worker"
        ]
        return [item["value"] for item in worker["env"] if item["name"] == "GENPOOL_BROKER_CA_CERTIFICATES"]

    assert told(SETTINGS) == []
    assert told(replace(SETTINGS, broker_ca_certificates="PEM")) == ["PEM"]


def test_a_container_sees_only_its_own_processes() -> None:
    """Else what runs in ComfyUI reads the worker's environment and files below /proc."""
    assert not {"shareProcessNamespace", "hostPID", "hostIPC", "hostNetwork"} & pod_spec().keys()


def test_comfyui_runs_under_the_init_that_the_worker_brings() -> None:
    pod = pod_spec(
        comfyui={"image": "example/comfyui:1", "command": ["python3", "main.py"], "args": ["--fast"]}
    )
    first, comfyui = pod["initContainers"]
    assert (first["name"], first["image"]) == ("init", pod["containers"][0]["image"])
    assert "restartPolicy" not in first
    (shared,) = first["volumeMounts"]
    assert {**shared, "readOnly": True} in comfyui["volumeMounts"]
    own = [f"{shared['mountPath']}/dumb-init", "--rewrite", "15:9", "--"]
    assert comfyui["command"] == [*own, "python3", "main.py"]
    assert comfyui["args"][0] == "--fast"


def test_the_init_starts_as_the_worker_does() -> None:
    chosen = {"image": "mirror/worker:2", "imagePullPolicy": "Never", "resources": {"limits": {"cpu": "1"}}}
    pod = pod_spec(worker=chosen)
    first, worker = pod["initContainers"][0], pod["containers"][0]
    assert {key: first[key] for key in chosen} == {key: worker[key] for key in chosen} == chosen


def test_an_image_that_starts_by_itself_is_ended_from_within() -> None:
    comfyui = comfyui_of(pod_spec(comfyui={"image": "example/comfyui:1", "command": []}))
    assert "command" not in comfyui
    python, _, script = comfyui["lifecycle"]["preStop"]["exec"]["command"]
    assert python == "python3"
    compile(script, "preStop", "exec")


def secrets_of(pod: dict[str, Any]) -> dict[str, str]:
    """Names of the Secrets that are volumes of a pod, by volume."""
    return {item["name"]: item["secret"]["secretName"] for item in pod["volumes"] if "secret" in item}


def mounted(container: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item["name"], item.get("subPath", "")) for item in container["volumeMounts"]}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_secrets_are_files_in_the_worker_alone(case: Path) -> None:
    pool = GenerationPool.parse(yaml.safe_load(case.read_text()))
    deployment: dict[str, Any] = build_deployment(pool, SETTINGS, "hash")
    pod = deployment["spec"]["template"]["spec"]
    volumes = secrets_of(pod)
    (worker,) = pod["containers"]
    assert set(volumes) <= {name for name, _ in mounted(worker)}
    for other in pod["initContainers"]:
        assert not volumes.keys() & {name for name, _ in mounted(other)}
    assert "secretKeyRef" not in json.dumps(pod)
    assert not [item for item in worker["volumeMounts"] if item["name"] in volumes and "subPath" in item]


def test_each_secret_is_where_the_worker_looks() -> None:
    storage = {"s3": {"bucket": "results", "credentials": {"name": "storage-credentials"}}}
    pod = pod_spec(storage=storage)
    assert set(secrets_of(pod).values()) == {"genpool-worker-logins", "storage-credentials"}
    items = {item["name"]: item["secret"]["items"] for item in pod["volumes"] if "secret" in item}
    assert items["broker-credentials"] == [
        {"key": "pictures.username", "path": "username"},
        {"key": "pictures.password", "path": "password"},
    ]
    (worker,) = pod["containers"]
    places = {item["name"]: item["mountPath"] for item in worker["volumeMounts"]}
    environment = {item["name"]: item.get("value") for item in worker["env"]}
    assert environment["GENPOOL_BROKER_CREDENTIALS_DIR"] == places["broker-credentials"]
    assert environment["GENPOOL_S3_CREDENTIALS_DIR"] == places["s3-credentials"]
    assert all(item["secret"]["optional"] for item in pod["volumes"] if "secret" in item)


def test_a_pool_without_keys_uses_the_pods_identity() -> None:
    pod = json.dumps(pod_spec(storage={"s3": {"bucket": "results"}}))
    assert "s3-credentials" not in pod
    assert "GENPOOL_S3_CREDENTIALS_DIR" not in pod


def test_the_workers_own_files_lie_in_a_folder_that_comfyui_does_not_mount() -> None:
    pod = pod_spec()
    comfyui, (worker,) = comfyui_of(pod), pod["containers"]
    assert ("scratch", "worker") in mounted(worker) - mounted(comfyui)
    # The volume itself would hold that folder, too.
    assert ("scratch", "") not in mounted(comfyui)


def test_comfyui_has_a_home_and_a_user_folder_on_the_scratch_volume() -> None:
    """A usual image belongs to root, and the pod's user has neither a name nor a folder in it."""
    comfyui = comfyui_of(pod_spec())
    places = {item["mountPath"] for item in comfyui["volumeMounts"] if item["name"] == "scratch"}
    words, environment = comfyui["args"], {item["name"]: item["value"] for item in comfyui["env"]}
    assert words[words.index("--user-directory") + 1] in places
    assert environment["HOME"] in places
    assert environment["USER"] == environment["LOGNAME"] != ""
    caches = {name: value for name, value in environment.items() if name.endswith(("_HOME", "DIR"))}
    assert {"XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR", "MPLCONFIGDIR"} <= caches.keys()
    assert all(value.startswith(f"{environment['HOME']}/") for value in caches.values())


def test_what_the_pool_says_of_home_and_user_folder_wins() -> None:
    home = {"name": "HOME", "value": "/data"}
    chosen = {"image": "example/comfyui:1", "args": ["--user-directory=/data/user"], "env": [home]}
    comfyui = comfyui_of(pod_spec(comfyui=chosen))
    assert [item for item in comfyui["env"] if item["name"] == "HOME"] == [home]
    assert [word for word in comfyui["args"] if word.startswith("--user")] == ["--user-directory=/data/user"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, {"runAsNonRoot": True, "runAsUser": 10_001, "fsGroup": 10_001}),
        ({}, {}),
        ({"runAsUser": 5}, {"runAsUser": 5}),
    ],
)
def test_an_empty_security_context_is_a_choice(said: object, expected: dict[str, object]) -> None:
    """The users of the images, or those that OpenShift gives."""
    pod = pod_spec(template={} if said is None else {"securityContext": said})
    found = {key: value for key, value in pod["securityContext"].items() if key != "seccompProfile"}
    assert found == expected
    assert ("seccompProfile" in pod["securityContext"]) is (said is None)
