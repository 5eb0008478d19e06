"""The gateway in the chart: where tasks are kept, which buckets it uses, how it is reached, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core import timing
from genpool_core.workerconfig import S3Config
from genpool_gateway.adapters.stores import load_stores
from genpool_gateway.factory import utc_now
from genpool_gateway.pools.file_links import FileLinks
from genpool_gateway.settings import GatewaySettings
from genpool_gateway.store.address import parse_address
from integration.chart.rendering import GOOD, Objects, env_of, pod_of, render, run_helm, secret_mounts

BUCKET = {"endpoint": "https://s3.example", "bucket": "pictures", "existingSecret": "keys"}
POSTGRESQL = {"database": {"existingSecret": "tasks-db"}}
LOGINS = {"/etc/genpool-gateway": "genpool-gateway"}


def _gateway(helm: str, **values: Any) -> Objects:  # noqa: ANN401 - the chart's values
    return render(helm, {**GOOD, "gateway": values})


def _settings(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> GatewaySettings:
    """The gateway's settings, as it reads them in its pod."""
    for name, value in env_of(pod_of(objects, "gateway")).items():
        monkeypatch.setenv(name, value)
    return GatewaySettings.load()


def _volume(pod: dict[str, Any], place: str) -> dict[str, Any]:
    """The volume that is mounted at a place."""
    (name,) = [
        item["name"] for item in pod["containers"][0]["volumeMounts"] if item["mountPath"] == str(place)
    ]
    return next(item for item in pod["volumes"] if item["name"] == name)


# Where tasks are kept -----------------------------------------------------------------------------------------------


def test_tasks_are_kept_on_a_volume_that_stays(helm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = _gateway(helm)
    claim = objects["PersistentVolumeClaim", "genpool-gateway"]
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    spec, pod = objects["Deployment", "genpool-gateway"]["spec"], pod_of(objects, "gateway")
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert "lifecycle" not in pod["containers"][0], "nobody else would answer meanwhile"
    assert pod["securityContext"]["fsGroup"] == 10_001
    file = parse_address(_settings(objects, monkeypatch).database_url).path
    assert file is not None
    assert _volume(pod, str(file.parent))["persistentVolumeClaim"] == {"claimName": "genpool-gateway"}


def test_the_volume_is_as_the_values_say(helm: str) -> None:
    objects = _gateway(helm, persistence={"size": "20Gi", "storageClass": "fast"})
    spec = objects["PersistentVolumeClaim", "genpool-gateway"]["spec"]
    assert (spec["storageClassName"], spec["resources"]["requests"]["storage"]) == ("fast", "20Gi")


def test_a_claim_that_is_there_is_used_and_none_made(helm: str) -> None:
    objects = _gateway(helm, persistence={"existingClaim": "mine"})
    pod = pod_of(objects, "gateway")
    assert _volume(pod, "/var/lib/genpool")["persistentVolumeClaim"] == {"claimName": "mine"}
    assert not [kind for kind, _ in objects if kind == "PersistentVolumeClaim"]


def test_a_gateway_that_forgets_has_no_claim(helm: str) -> None:
    objects = _gateway(helm, persistence={"enabled": False, "ephemeral": True})
    assert _volume(pod_of(objects, "gateway"), "/var/lib/genpool")["emptyDir"] == {"sizeLimit": "1Gi"}
    assert not [kind for kind, _ in objects if kind == "PersistentVolumeClaim"]


def test_several_gateways_share_a_postgresql_and_roll(helm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = _gateway(helm, replicas=3, **POSTGRESQL)
    spec, pod = objects["Deployment", "genpool-gateway"]["spec"], pod_of(objects, "gateway")
    assert spec["replicas"] == 3
    # Written out, or Helm would not take it away when the way goes back to SQLite, and Kubernetes would refuse that.
    assert spec["strategy"]["type"] == "RollingUpdate"
    assert spec["strategy"]["rollingUpdate"].keys() == {"maxSurge", "maxUnavailable"}
    command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command == ["python3", "-c", f"import time; time.sleep({timing.GATEWAY_PRESTOP_SECONDS})"]
    assert not [kind for kind, _ in objects if kind == "PersistentVolumeClaim"]
    file = _settings(objects, monkeypatch).database_url_file
    assert file == Path("/etc/genpool-database/url")
    volume = _volume(pod, str(file.parent))
    assert volume["secret"] == {"secretName": "tasks-db", "items": [{"key": "url", "path": "url"}]}
    assert "GENPOOL_DATABASE_URL" not in env_of(pod)
    assert "/var/lib/genpool" not in [item["mountPath"] for item in pod["containers"][0]["volumeMounts"]]


# Buckets ------------------------------------------------------------------------------------------------------------


def test_the_stores_file_is_one_that_the_gateway_reads(
    helm: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = {"bucket": "on-aws", "region": "eu-central-1"}
    objects = _gateway(helm, stores=[{**BUCKET, "publicEndpoint": "https://files.example"}, own])
    text = objects["ConfigMap", "genpool-gateway-stores"]["data"]["stores.yaml"]
    first, second = yaml.safe_load(text)["stores"]
    pod = pod_of(objects, "gateway")
    assert first == {
        "endpoint": "https://s3.example",
        "publicEndpoint": "https://files.example",
        "bucket": "pictures",
        "credentialsPath": "/etc/genpool-store-credentials/0",
    }
    assert second == own
    assert secret_mounts(pod) == {**LOGINS, first["credentialsPath"]: "keys"}
    (tmp_path / "stores.yaml").write_text(text, encoding="utf-8")
    stores = load_stores(tmp_path / "stores.yaml", (), FileLinks(lambda: (), utc_now))
    assert stores.of(S3Config(endpoint="https://s3.example/", bucket="pictures")) is not None
    assert stores.of(S3Config(endpoint=None, bucket="on-aws")) is not None
    place = _settings(objects, monkeypatch).stores_file
    assert place is not None
    assert _volume(pod, str(place.parent))["configMap"] == {"name": "genpool-gateway-stores"}


def test_a_change_of_the_stores_rolls_the_pods(helm: str) -> None:
    def checksum(**values: Any) -> str:  # noqa: ANN401 - the chart's values
        template = _gateway(helm, **values)["Deployment", "genpool-gateway"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/stores"])

    assert checksum() == checksum() != checksum(stores=[BUCKET])


# The API ------------------------------------------------------------------------------------------------------------


def test_the_api_is_on_port_80_and_probes_and_metrics_on_8080(helm: str) -> None:
    objects = _gateway(helm)
    (container,) = pod_of(objects, "gateway")["containers"]
    ports = {item["name"]: item["containerPort"] for item in container["ports"]}
    service = objects["Service", "genpool-gateway"]["spec"]["ports"]
    assert {item["port"]: ports[item["targetPort"]] for item in service} == {80: 8000, 8080: 8080}
    assert env_of(pod_of(objects, "gateway"))["GENPOOL_API_PORT"] == "8000"


def test_the_api_behaves_as_the_values_say(helm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = _settings(_gateway(helm), monkeypatch)
    assert (usual.public_url, usual.authentication, usual.requests_per_second) == ("", "keys", 100)
    assert (usual.trusted_proxies, usual.cors_origins) == ((), ())
    values = {
        "publicUrl": "https://genpool.example/api",
        "authentication": "none",
        "trustedProxies": ["10.0.0.0/8", "fd00::/8"],
        "trustedProxyHeader": "X-User",
        "corsOrigins": ["https://a.example", "https://b.example:8443"],
        "requestsPerSecond": 0,
    }
    changed = _settings(_gateway(helm, **values), monkeypatch)
    assert changed.public_url == "https://genpool.example/api"
    assert (changed.authentication, changed.requests_per_second) == ("none", 0)
    assert [str(network) for network in changed.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]
    assert changed.trusted_proxy_header == "X-User"
    assert changed.cors_origins == ("https://a.example", "https://b.example:8443")


def test_an_ingress_leads_to_the_api(helm: str) -> None:
    assert not [kind for kind, _ in _gateway(helm) if kind == "Ingress"]
    tls = [{"hosts": ["genpool.example"], "secretName": "tls"}]
    ingress = {"enabled": True, "className": "nginx", "host": "genpool.example", "tls": tls}
    found = _gateway(helm, ingress={**ingress, "annotations": {"a": "b"}})["Ingress", "genpool-gateway"]
    assert (found["spec"]["ingressClassName"], found["spec"]["tls"]) == ("nginx", tls)
    assert found["metadata"]["annotations"] == {"a": "b"}
    (rule,) = found["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("genpool.example", "/", "Prefix")
    assert path["backend"]["service"] == {"name": "genpool-gateway", "port": {"name": "api"}}


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "2 replicas need PostgreSQL, and gateway.database.existingSecret is empty"),
        ({"persistence": {"enabled": False}}, "would be forgotten with the pod"),
        ({"replicas": 2, "persistence": {"enabled": False, "ephemeral": True}}, "2 replicas need PostgreSQL"),
        ({"persistence": {"ephemeral": True}}, "contradict each other"),
        ({"persistence": {"size": "much"}}, "size"),
        ({"stores": [BUCKET, {**BUCKET, "endpoint": "https://S3.example/"}]}, "is twice in gateway.stores"),
        ({"stores": [{**BUCKET, "endpoint": "https://key:s3cr3t@s3.example"}]}, "must be plain http or"),
        ({"stores": [{**BUCKET, "publicEndpoint": "https://a.example?key=s3cr3t"}]}, "must be plain http or"),
        ({"stores": [{"endpoint": "https://s3.example"}]}, "bucket"),
        ({"ingress": {"enabled": True}}, "ingress.enabled needs ingress.host"),
        (
            {"authentication": "none", "ingress": {"enabled": True, "host": "api.example"}},
            "would make everybody who reaches it an administrator",
        ),
        ({"publicUrl": "api.example"}, "publicUrl"),
        ({"authentication": "perhaps"}, "authentication"),
        ({"trustedProxies": ["10.0.0.0/8, 11.0.0.0/8"]}, "trustedProxies"),
        ({"corsOrigins": ["*"]}, "corsOrigins"),
    ],
)
def test_mistakes_are_refused_with_a_sentence(helm: str, values: dict[str, Any], said: str) -> None:
    done = run_helm(helm, {**GOOD, "gateway": values})
    assert done.returncode != 0
    assert said in done.stderr
    assert "s3cr3t" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "values", [{"replicas": 2}, {"persistence": {"enabled": False}}, {"ingress": {"enabled": True}}]
)
def test_a_gateway_that_is_off_is_not_checked(helm: str, values: dict[str, Any]) -> None:
    assert render(helm, {**GOOD, "gateway": {"enabled": False, **values}})
