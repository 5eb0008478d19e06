"""What others need to know of a running cluster."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from genpool_dev.cluster.settings import ProviderName

NAMESPACE = "genpool-dev"
"""Where RabbitMQ and S3 run."""
CONTEXTS = "GENPOOL_E2E_CONTEXTS"
"""Variable with the contexts (commas) that may be used beside ours."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class RabbitMQInfo(_Frozen):
    """How to reach RabbitMQ, from this machine and from pods."""

    host: str
    """From this machine."""
    port: int
    """AMQP, from this machine."""
    management_url: str
    """HTTP API and pages, from this machine; without a slash at the end."""
    username: str
    password: str
    in_cluster_host: str
    """From pods; ports 5672 and 15672."""


class S3Info(_Frozen):
    """How to reach the object store, from this machine and from pods."""

    endpoint: str
    """From this machine."""
    in_cluster_endpoint: str
    access_key: str
    secret_key: str
    folder: Path | None
    """Where its files lie on this machine, or nothing where they do not."""


class ClusterInfo(_Frozen):
    """A cluster that is up."""

    provider: ProviderName
    context: str
    kubeconfig: Path
    kubectl: Path
    helm: Path
    images: dict[str, str]
    """Full image name by component: operator, worker, gateway, comfyui-standin."""
    rabbitmq: RabbitMQInfo
    s3: S3Info
    host_address: str
    """The address by which pods reach a server on this machine; listen on it, or on 0.0.0.0."""
    state_dir: Path
    gpus: int = 0
    """How many ``nvidia.com/gpu`` its nodes say that pods can have, together."""


def allowed_context(name: str, extra: str = "") -> bool:
    """Tell whether demo and tests may use a context; ``extra`` is the value of :data:`CONTEXTS`. Pure."""
    return name in {"genpool-local", "kind-genpool", *filter(None, extra.split(","))}
