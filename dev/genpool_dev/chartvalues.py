"""The values of the Helm chart, as a model: ``make generate`` writes ``charts/genpool/values.schema.json`` from it.

A wrong or misspelt value is then refused by Helm with its name, before anything reaches the cluster.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from genpool_core.jsontypes import JsonObject

PullPolicy = Literal["", "Always", "IfNotPresent", "Never"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
#: A name that becomes part of a path in the pods.
LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


class _Values(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", validate_by_name=True, use_attribute_docstrings=True
    )


class Images(_Values):
    """What all images share."""

    registry: str = ""
    """Put before every repository, for a mirror; with nothing the repositories stand as they are."""
    pull_policy: PullPolicy = ""
    """Pull policy of all images that do not set their own; Kubernetes' default when empty."""
    pull_secrets: list[JsonObject] = []
    """``imagePullSecrets`` of operator and gateway, as ``[{name: …}]``."""


class Image(_Values):
    """One image."""

    repository: Annotated[str, Field(min_length=1)]
    """Name without tag."""
    tag: str = ""
    """Tag; the chart's appVersion when empty."""
    pull_policy: PullPolicy = ""
    """Pull policy; ``image.pullPolicy`` when empty."""


class Authority(_Values):
    """Certificates in PEM, in an object of the release's namespace: exactly one of the two."""

    existing_secret: Annotated[str, Field(max_length=253)] = ""
    """Secret that holds them."""
    existing_config_map: Annotated[str, Field(max_length=253)] = ""
    """ConfigMap that holds them."""
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$")] = "ca.crt"
    """Key of the object."""


class Broker(_Values):
    """A RabbitMQ that pools may use."""

    name: Annotated[str, Field(pattern=LABEL, max_length=63)]
    """As pools name it in ``spec.broker.name``; the default there is ``default``."""
    host: Annotated[str, Field(min_length=1)]
    """Host name, as operator, gateway and worker pods reach it."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 5672
    """AMQP port."""
    tls: bool = False
    """Use TLS for AMQP."""
    management_url: str = ""
    """URL of the management API; ``http://HOST:15672`` when empty. The template checks it: Helm's refusal by a schema
    shows the value, and this one may carry a password."""
    existing_secret: Annotated[str, Field(min_length=1, max_length=253)]
    """Secret of the release's namespace with the keys username and password of an administrator."""
    ca: Authority | None = None
    """Certificates that signed those of AMQP and management API; the system's when absent."""
    vhosts: Annotated[list[str], Field(min_length=1)] = ["/"]
    """Vhosts that pools may use; they are made when they are missing."""
    namespaces: list[str] = []
    """Namespaces whose pools may use it; all when empty."""


class ServiceAccount(_Values):
    """The account that a program runs under."""

    annotations: dict[str, str] = {}
    """Annotations of the ServiceAccount."""


class Program(_Values):
    """What operator and gateway have in common."""

    resources: JsonObject
    """Resources of the container."""
    log_format: Literal["json", "console"] = "json"
    """Logs for machines (json) or people (console)."""
    log_level: LogLevel = "INFO"
    """Least level that is logged."""
    extra_env: list[JsonObject] = []
    """More environment variables, as a container has them."""
    pod_annotations: dict[str, str] = {}
    """More annotations of the pods."""
    pod_labels: dict[str, str] = {}
    """More labels of the pods."""
    node_selector: dict[str, str] = {}
    """Nodes for the pods."""
    tolerations: list[JsonObject] = []
    """Tolerations of the pods."""
    affinity: JsonObject = {}
    """Affinity of the pods."""
    priority_class_name: str = ""
    """Priority class of the pods."""
    pod_security_context: JsonObject | None = None
    """``securityContext`` of the pods, in place of the chart's own. An empty one leaves the user to the image or to the
    platform."""
    container_security_context: JsonObject | None = None
    """The same for the container."""
    service_account: ServiceAccount = ServiceAccount()
    """The account it runs under."""


class Operator(Program):
    """The operator."""

    image: Image = Image(repository="ghcr.io/genpool/genpool-operator")
    """Image of the operator."""
    resources: JsonObject = {"requests": {"cpu": "50m", "memory": "160Mi"}, "limits": {"memory": "512Mi"}}
    """Resources of the container."""
    namespaces: list[Annotated[str, Field(pattern=LABEL, max_length=63)]] = []
    """Namespaces to look after: it then has rights in these only. All when empty."""
    allowed_volumes: list[Annotated[str, Field(pattern=r"^[a-zA-Z]+$", max_length=63)]] = [
        "persistentVolumeClaim",
        "ephemeral",
        "emptyDir",
        "image",
    ]
    """Kinds of volumes, as in a Pod, that a pool may mount for its models."""


class Worker(_Values):
    """The workers, which the operator starts."""

    image: Image = Image(repository="ghcr.io/genpool/genpool-worker")
    """Image of the workers, unless a pool names another."""


class Persistence(_Values):
    """The volume with the task store in SQLite; not used with ``gateway.database``."""

    enabled: bool = True
    """Ask for a volume. It stays when the chart is uninstalled: tasks can be read back, API keys cannot."""
    storage_class: Annotated[str, Field(max_length=253)] = ""
    """Its storage class; the cluster's default when empty."""
    size: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(Mi|Gi|Ti|M|G|T)$")] = "1Gi"
    """Its size; a million tasks take about 2 Gi."""
    existing_claim: Annotated[str, Field(max_length=253)] = ""
    """A PersistentVolumeClaim of the release's namespace to use instead."""
    ephemeral: bool = False
    """Without a volume: tasks, API keys and audit log are forgotten with the pod. For development."""


class Database(_Values):
    """PostgreSQL for the task store: several gateways may then run."""

    existing_secret: Annotated[str, Field(max_length=253)] = ""
    """Secret of the release's namespace with its URL, as ``postgresql://USER:PASSWORD@HOST:5432/DATABASE``."""
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$")] = "url"
    """Key of the Secret."""


class Store(_Values):
    """A bucket that the gateway may use."""

    endpoint: str = ""
    """URL of the store, as pools name it; AWS when empty. The template checks it: Helm's refusal by a schema shows the
    value, and this one may carry a password."""
    public_endpoint: str = ""
    """URL of the store in links; the pool's own when empty."""
    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    """Name of the bucket, as pools name it."""
    region: str = ""
    """Region; the pool's own when empty."""
    existing_secret: Annotated[str, Field(max_length=253)] = ""
    """Secret of the release's namespace with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the gateway's own
    identity, of its ServiceAccount, when empty."""


class Ingress(_Values):
    """A way to the API from outside of the cluster."""

    enabled: bool = False
    """Make an Ingress."""
    class_name: Annotated[str, Field(max_length=253)] = ""
    """Its class; the cluster's default when empty."""
    host: Annotated[str, Field(max_length=253)] = ""
    """Host name of the API."""
    tls: list[JsonObject] = []
    """As an Ingress has it: ``[{hosts: […], secretName: …}]``."""
    annotations: dict[str, str] = {}
    """Annotations of the Ingress."""


class Gateway(Program):
    """The gateway: the API, and delivery of callbacks."""

    enabled: bool = True
    """Without it there is no API, and callbacks wait in their queue."""
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    """Pods; they share the work. More than one needs ``database``."""
    image: Image = Image(repository="ghcr.io/genpool/genpool-gateway")
    """Image of the gateway."""
    resources: JsonObject = {"requests": {"cpu": "50m", "memory": "192Mi"}, "limits": {"memory": "512Mi"}}
    """Resources of the container."""
    persistence: Persistence = Persistence()
    """The volume with the task store in SQLite."""
    database: Database = Database()
    """PostgreSQL for the task store, instead of the volume."""
    stores: list[Store] = []
    """Buckets that the gateway may use: for links to results, inputs, ends of tasks that no worker ends, and deletion.
    It reads no Secret of a pool's namespace."""
    public_url: Annotated[str, Field(pattern=r"^(https?://[^?#@]+[^?#@/])?$")] = ""
    """Where callers reach the API, before the paths in its answers; paths alone when empty."""
    authentication: Literal["keys", "none"] = "keys"
    """``none`` takes everybody for an administrator: for development only."""
    trusted_proxies: list[Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$")]] = []
    """Networks of proxies that are believed about who asks, as ``10.0.0.0/8``."""
    trusted_proxy_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "X-Forwarded-User"
    """Header in which such a proxy names the user; from anybody else it is dropped."""
    cors_origins: list[Annotated[str, Field(pattern=r"^https?://[^/,]+$")]] = []
    """Origins of web pages that may use the API."""
    requests_per_second: Annotated[int, Field(ge=0)] = 100
    """Requests that a caller may send in a second; 0: no limit."""
    ingress: Ingress = Ingress()
    """A way to the API from outside of the cluster."""


class Monitor(_Values):
    """What Prometheus reads, as an object of its operator (``monitoring.coreos.com/v1``)."""

    enabled: bool = False
    """Make it. Its CustomResourceDefinition must be there."""
    labels: dict[str, str] = {}
    """More labels, for the selector of your Prometheus."""
    interval: Annotated[str, Field(pattern=r"^[1-9][0-9]*(s|m)$")] = "30s"
    """Time between two reads."""


class PrometheusRule(_Values):
    """Alerts, as an object of Prometheus' operator."""

    enabled: bool = False
    """Make it. Its CustomResourceDefinition must be there."""
    labels: dict[str, str] = {}
    """More labels, for the selector of your Prometheus."""
    runbook_url: Annotated[str, Field(pattern=r"^https?://[^#]+$")] = (
        "https://github.com/genpool/genpool/blob/main/docs/how-to/monitoring.md"
    )
    """The page that alerts link to; each has a section there."""


class Dashboard(_Values):
    """The dashboard for Grafana, in a ConfigMap that its sidecar reads."""

    enabled: bool = False
    """Make it."""
    labels: dict[str, str] = {"grafana_dashboard": "1"}
    """Labels that the sidecar selects."""
    annotations: dict[str, str] = {}
    """Annotations, as ``grafana_folder``."""


class Monitoring(_Values):
    """Prometheus and Grafana."""

    service_monitor: Monitor = Monitor()
    """ServiceMonitors of operator and gateway, and a Service for the operator."""
    pod_monitor: Monitor = Monitor()
    """PodMonitor of the workers of all pools."""
    prometheus_rule: PrometheusRule = PrometheusRule()
    """Alerts."""
    dashboard: Dashboard = Dashboard()
    """The dashboard for Grafana."""


class Crds(_Values):
    """The CustomResourceDefinition."""

    install: bool = True
    """Install it and bring it up to date with the chart. It and the pools stay when the chart is uninstalled."""


class ChartValues(_Values):
    """Values of the chart genpool."""

    name_override: Annotated[str, Field(max_length=40)] = ""
    """Instead of the chart's name in the names of objects."""
    fullname_override: Annotated[str, Field(max_length=40)] = ""
    """Instead of release and chart name in the names of objects."""
    brokers: list[Broker] = []
    """The RabbitMQ brokers that pools may use; at least one."""
    image: Images = Images()
    """What all images share."""
    operator: Operator = Operator()
    """The operator."""
    worker: Worker = Worker()
    """The workers, which the operator starts."""
    gateway: Gateway = Gateway()
    """The gateway: the API, and delivery of callbacks."""
    monitoring: Monitoring = Monitoring()
    """Prometheus and Grafana."""
    crds: Crds = Crds()
    """The CustomResourceDefinition."""
    global_: Annotated[JsonObject, Field(alias="global")] = {}
    """Helm's own, for a chart that has this one as a part; not used."""


def values_schema() -> JsonObject:
    """The JSON Schema for ``values.schema.json``, in draft 7 and without references, for every Helm 3 and 4."""
    raw: dict[str, Any] = ChartValues.model_json_schema(by_alias=True)
    definitions = raw.pop("$defs", {})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Generated from dev/genpool_dev/chartvalues.py by `make generate`. Do not edit.",
        **_plain(raw, definitions),
    }


def schema_text() -> str:
    """That schema as the file has it."""
    return json.dumps(values_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(node: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """A schema with its references replaced, and without pydantic's titles."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = deepcopy(definitions[node["$ref"].rpartition("/")[2]])
        if "JsonValue" in node["$ref"]:
            return {}
        return _plain({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    kept = {key: value for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    return {key: _plain(value, definitions) for key, value in kept.items()}
