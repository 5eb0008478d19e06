"""The chart as Helm renders it; no cluster is asked."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from genpool_core import names
from genpool_core.brokers import BrokersFile
from genpool_operator.decide.volumes import USUAL_VOLUMES
from integration.chart.rendering import BROKER, CHART, GOOD, env_of, pod_of, render, run_helm, secret_mounts


def test_the_crd_is_that_of_the_repository_and_is_kept(helm: str) -> None:
    crd = render(helm, GOOD)["CustomResourceDefinition", "generationpools.genpool.dev"]
    source = yaml.safe_load((CHART.parents[1] / "crds/genpool.dev_generationpools.yaml").read_text("utf-8"))
    assert crd["spec"] == source["spec"]
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_crd_can_be_left_out(helm: str) -> None:
    objects = render(helm, {**GOOD, "crds": {"install": False}})
    assert not [name for kind, name in objects if kind == "CustomResourceDefinition"]


def test_the_brokers_file_is_one_that_the_programs_read(helm: str) -> None:
    second = {"name": "eu", "host": "mq-eu", "port": 5671, "tls": True, "existingSecret": "eu"}
    second |= {"managementUrl": "https://mq-eu:15671", "namespaces": ["art"]}
    objects = render(helm, {"brokers": [BROKER, second]})
    text = objects["ConfigMap", "genpool-brokers"]["data"]["brokers.yaml"]
    brokers = BrokersFile.model_validate(yaml.safe_load(text)).brokers
    assert [(item.name, item.port, item.tls, item.vhosts) for item in brokers] == [
        ("default", 5672, False, ["/", "art"]),
        ("eu", 5671, True, ["/"]),
    ]
    assert brokers[0].management_url == "http://mq:15672"
    secrets = secret_mounts(pod_of(objects, "operator"))
    assert secrets == {brokers[0].credentials_path: "mq-admin", brokers[1].credentials_path: "eu"}


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
@pytest.mark.parametrize("key", [None, "corporate.pem"])
def test_a_brokers_authority_is_where_the_brokers_file_says(helm: str, kind: str, key: str | None) -> None:
    authority = {f"existing{kind}": "corporate"} | ({"key": key} if key else {})
    objects = render(helm, {"brokers": [BROKER, {**BROKER, "name": "eu", "ca": authority}]})
    text = objects["ConfigMap", "genpool-brokers"]["data"]["brokers.yaml"]
    system, own = BrokersFile.model_validate(yaml.safe_load(text)).brokers
    assert system.ca_file is None
    assert own.ca_file is not None
    folder, _, file = own.ca_file.rpartition("/")
    for program in ("operator", "gateway"):
        pod = pod_of(objects, program)
        mounts = {item["mountPath"]: item["name"] for item in pod["containers"][0]["volumeMounts"]}
        (volume,) = [item for item in pod["volumes"] if item["name"] == mounts[folder]]
        source = volume["secret"] if kind == "Secret" else volume["configMap"]
        assert source.get("secretName", source.get("name")) == "corporate"
        assert source["items"] == [{"key": file, "path": file}]
        assert file == (key or "ca.crt")


@pytest.mark.parametrize("program", ["operator", "gateway"])
def test_pods_are_locked_down(helm: str, program: str) -> None:
    pod = pod_of(render(helm, GOOD), program)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == "http"


@pytest.mark.parametrize(("program", "ready"), [("operator", "/readyz"), ("gateway", "/readyz/api")])
def test_a_program_is_ready_when_it_says_so(helm: str, program: str, ready: str) -> None:
    """Healthy is less: an operator that cannot list the pools lives, and does nothing."""
    (container,) = pod_of(render(helm, GOOD), program)["containers"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("readiness", "liveness")}
    assert paths == {"readiness": ready, "liveness": "/healthz"}


def test_the_volumes_of_pools_are_those_that_the_operator_allows_by_itself(helm: str) -> None:
    usual = env_of(pod_of(render(helm, GOOD), "operator"))["GENPOOL_ALLOWED_VOLUMES"]
    assert tuple(usual.split(",")) == USUAL_VOLUMES
    more = {**GOOD, "operator": {"allowedVolumes": ["nfs"]}}
    assert env_of(pod_of(render(helm, more), "operator"))["GENPOOL_ALLOWED_VOLUMES"] == "nfs"


def test_there_is_one_operator_and_never_two(helm: str) -> None:
    spec = render(helm, GOOD)["Deployment", "genpool-operator"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("namespaces", [[], ["art", "photos"]])
def test_the_gateway_reads_pools_and_config_maps_and_nothing_else(helm: str, namespaces: list[str]) -> None:
    values = {**GOOD, "operator": {"namespaces": namespaces}}
    found = [item for item in yaml.safe_load_all(run_helm(helm, values).stdout) if item]
    mine = {"kind": "ServiceAccount", "name": "genpool-gateway", "namespace": "sys"}
    bindings = [item for item in found if mine in item.get("subjects", [])]
    kind = "Role" if namespaces else "ClusterRole"
    assert [item["metadata"].get("namespace") for item in bindings] == (namespaces or [None])
    assert {item["roleRef"]["kind"] for item in bindings} == {kind}
    for binding in bindings:
        place, name = binding["metadata"].get("namespace"), binding["roleRef"]["name"]
        (role,) = [
            item
            for item in found
            if (item["kind"], item["metadata"]["name"], item["metadata"].get("namespace"))
            == (kind, name, place)
        ]
        rights = [(rule["apiGroups"], rule["resources"], rule["verbs"]) for rule in role["rules"]]
        read = ["get", "list", "watch"]
        assert rights == [(["genpool.dev"], ["generationpools"], read), ([""], ["configmaps"], read)]
    pod = pod_of(render(helm, values), "gateway")
    assert pod.get("automountServiceAccountToken", True) is True
    assert env_of(pod).get("GENPOOL_NAMESPACES") == (",".join(namespaces) or None)


def test_the_operators_rights_are_listed_one_by_one(helm: str) -> None:
    objects = render(helm, GOOD)
    rules = objects["ClusterRole", "sys:genpool-operator"]["rules"]
    words = {word for rule in rules for part in ("apiGroups", "resources", "verbs") for word in rule[part]}
    assert "*" not in words
    assert not words & {"deletecollection", "update", "escalate", "bind", "impersonate"}
    assert [rule["resources"] for rule in rules if "delete" in rule["verbs"]] == [["pods"]]


def test_an_operator_of_some_namespaces_has_rights_in_these_only(helm: str) -> None:
    objects = render(helm, {**GOOD, "operator": {"namespaces": ["art", "photos"]}})
    assert env_of(pod_of(objects, "operator"))["GENPOOL_NAMESPACES"] == "art,photos"
    wide = objects["ClusterRole", "sys:genpool-operator"]["rules"]
    resources = {resource for rule in wide for resource in rule["resources"]}
    assert resources == {"customresourcedefinitions", "namespaces"}
    assert {verb for rule in wide for verb in rule["verbs"]} == {"get", "list", "watch"}
    done = run_helm(helm, {**GOOD, "operator": {"namespaces": ["art", "photos"]}})
    found = [item for item in yaml.safe_load_all(done.stdout) if item and item["kind"] == "Role"]
    roles = [item for item in found if "operator" in item["metadata"]["name"]]
    assert [item["metadata"].get("namespace") for item in roles] == [None, "art", "photos"]


def test_images_follow_their_values(helm: str) -> None:
    objects = render(
        helm,
        {
            **GOOD,
            "image": {
                "registry": "mirror.example/x/",
                "pullPolicy": "Always",
                "pullSecrets": [{"name": "pull"}],
            },
            "worker": {"image": {"tag": "7", "pullPolicy": "Never"}},
        },
    )
    pod = pod_of(objects, "operator")
    version = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"]
    assert pod["containers"][0]["image"] == f"mirror.example/x/ghcr.io/genpool/genpool-operator:{version}"
    assert pod["containers"][0]["imagePullPolicy"] == "Always"
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    assert env_of(pod)["GENPOOL_WORKER_IMAGE"] == "mirror.example/x/ghcr.io/genpool/genpool-worker:7"
    assert env_of(pod)["GENPOOL_WORKER_IMAGE_PULL_POLICY"] == "Never"


def test_a_change_of_the_brokers_rolls_the_pods(helm: str) -> None:
    def checksum(values: dict[str, Any], name: str) -> str:
        template = render(helm, values)["Deployment", f"genpool-{name}"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/brokers"])

    changed = {"brokers": [{**BROKER, "vhosts": ["/"]}]}
    for name in ("operator", "gateway"):
        assert checksum(GOOD, name) == checksum(GOOD, name)
        assert checksum(GOOD, name) != checksum(changed, name)


def test_every_object_has_the_recommended_labels(helm: str) -> None:
    for (kind, name), item in render(helm, GOOD).items():
        labels = item["metadata"]["labels"]
        for key in ("name", "instance", "component", "version", "managed-by", "part-of"):
            assert labels.get(f"app.kubernetes.io/{key}"), f"{kind} {name}"


def test_the_gateway_mounts_nothing_but_its_own_secret(helm: str) -> None:
    """Not the administrators' logins: those are the operator's alone. The whole Secret, and no pod without it."""
    pod = pod_of(render(helm, GOOD), "gateway")
    folder = env_of(pod)["GENPOOL_GATEWAY_SECRET_DIR"]
    assert secret_mounts(pod) == {folder: "genpool-gateway"}
    (volume,) = [item["secret"] for item in pod["volumes"] if "secret" in item]
    assert volume == {"secretName": "genpool-gateway"}


def test_a_chart_holds_no_secret_and_asks_no_cluster(helm: str) -> None:
    """``helm template`` and Argo CD render the same each time."""
    assert not [name for kind, name in render(helm, GOOD) if kind == "Secret"]
    assert render(helm, GOOD) == render(helm, GOOD)
    for template in (CHART / "templates").rglob("*.*"):
        assert "lookup" not in template.read_text("utf-8")


@pytest.mark.parametrize("namespaces", [[], ["art", "sys"]])
def test_the_operator_reads_no_secret_but_its_own_keys(helm: str, namespaces: list[str]) -> None:
    done = run_helm(helm, {**GOOD, "operator": {"namespaces": namespaces}})
    kinds = {"Role", "ClusterRole"}
    roles = [item for item in yaml.safe_load_all(done.stdout) if item and item["kind"] in kinds]
    places = [
        (role["kind"], role["metadata"]["name"], role["metadata"].get("namespace", "sys")) for role in roles
    ]
    assert len(set(places)) == len(places)
    found = [
        (
            "all" if role["kind"] == "ClusterRole" else role["metadata"].get("namespace", "sys"),
            name,
            rule["verbs"],
        )
        for role in roles
        for rule in role["rules"]
        if "secrets" in rule["resources"]
        for name in rule["resourceNames"]
    ]
    shared = [
        (place, name, ["create", "patch"])
        for place in (namespaces or ["all"])
        for name in (names.CALLBACK_SECRETS, names.WORKER_LOGINS)
    ]
    own = [
        ("sys", "genpool-gateway", ["create", "patch"]),
        ("sys", "genpool-operator-key", ["get", "create", "patch"]),
    ]
    assert sorted(found) == sorted([*shared, *own])


def test_the_operator_knows_the_names_that_its_rights_name(helm: str) -> None:
    variables = {
        "GENPOOL_RELEASE_NAMESPACE": "sys",
        "GENPOOL_OPERATOR_KEY": "genpool-operator-key",
        "GENPOOL_GATEWAY_SECRET": "genpool-gateway",
    }
    assert variables.items() <= env_of(pod_of(render(helm, GOOD), "operator")).items()
    without = env_of(pod_of(render(helm, {**GOOD, "gateway": {"enabled": False}}), "operator"))
    assert "GENPOOL_GATEWAY_SECRET" not in without


def test_without_the_gateway_nothing_of_it_is_made(helm: str) -> None:
    objects = render(helm, {**GOOD, "gateway": {"enabled": False}})
    assert not [name for _, name in objects if "gateway" in name]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "GenPool needs a RabbitMQ: set brokers"),
        ({"brokers": [BROKER, BROKER]}, 'the name "default" is there twice'),
        ({**GOOD, "operatr": {}}, "operatr"),
        ({"brokers": [{"name": "a", "host": "h"}]}, "existingSecret"),
        *(
            ({"brokers": [{**BROKER, "host": host}]}, 'host of broker "default" is not a host name')
            for host in (
                "amqp://genpool:s3cr3t@mq:5672/",
                "http://mq",
                "genpool:s3cr3t@mq",
                "mq:5672",
                "mq/art",
                "m q",
            )
        ),
        *(
            ({"brokers": [{**BROKER, "managementUrl": url}]}, 'managementUrl of broker "default" is not')
            for url in ("http://genpool:s3cr3t@mq:15672", "mq:15672", "http://mq:15672/?key=s3cr3t")
        ),
        *(
            ({"brokers": [{**BROKER, "ca": ca}]}, "ca names either existingSecret or existingConfigMap")
            for ca in ({"key": "ca.crt"}, {"existingSecret": "a", "existingConfigMap": "b"})
        ),
    ],
)
def test_mistakes_are_refused_with_a_sentence(helm: str, values: dict[str, Any], said: str) -> None:
    done = run_helm(helm, values)
    assert done.returncode != 0
    assert said in done.stderr
    assert "s3cr3t" not in done.stderr + done.stdout


@pytest.mark.parametrize("host", ["mq", "rabbitmq.messaging.svc", "10.0.0.7", "fd00::7", "my_mq"])
def test_hosts_of_brokers(helm: str, host: str) -> None:
    assert render(helm, {"brokers": [{**BROKER, "host": host}]})


@pytest.mark.parametrize("name", ["operator", "gateway"])
def test_an_empty_security_context_is_a_choice(helm: str, name: str) -> None:
    """Without a word the chart's own holds; ``{}`` leaves the user to the platform."""
    usual = pod_of(render(helm, GOOD), name)
    assert usual["securityContext"]["runAsUser"] == 10_001
    assert usual["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    empty = {"podSecurityContext": {}, "containerSecurityContext": {}}
    chosen = pod_of(render(helm, {**GOOD, name: empty}), name)
    assert chosen["securityContext"] == {}
    assert chosen["containers"][0]["securityContext"] == {}
    own = {"podSecurityContext": {"runAsUser": 5}, "containerSecurityContext": {"privileged": False}}
    pod = pod_of(render(helm, {**GOOD, name: own}), name)
    assert pod["securityContext"] == {"runAsUser": 5}
    assert pod["containers"][0]["securityContext"] == {"privileged": False}
