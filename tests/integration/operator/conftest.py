"""A namespace, a vhost and an operator process for each test, on a real API server and a real RabbitMQ."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from genpool_adapters.management.api import ManagementApi
from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.topology.plan import BrokerUser
from genpool_core.topology.rights import worker_permissions
from genpool_dev.cluster.api import ensure_up
from genpool_dev.cluster.model import ClusterInfo
from integration.broker import Server, Vhost
from integration.operator.harness import ROOT, Kubectl, OperatorProcess
from integration.operator.provisioning import PASSWORD, QUEUE, UID
from support.cluster_reader import ClusterReader
from support.tcpproxy import TcpProxy

CRD = ROOT / "crds/genpool.dev_generationpools.yaml"


@pytest.fixture(scope="session")
def cluster() -> ClusterInfo:
    """A cluster that knows GenerationPools."""
    info = ensure_up()
    kubectl = Kubectl(info, "default", ClusterReader(info))
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "crd/generationpools.genpool.dev", "--timeout=60s")
    return info


@pytest.fixture(scope="session")
def reader(cluster: ClusterInfo) -> ClusterReader:
    return ClusterReader(cluster)


@pytest.fixture
def kubectl(cluster: ClusterInfo, reader: ClusterReader) -> Iterator[Kubectl]:
    """Kubectl in a namespace of the test's own."""
    kubectl = Kubectl(cluster, f"operator-{uuid.uuid4().hex[:10]}", reader)
    kubectl("create", "namespace", kubectl.namespace)
    try:
        yield kubectl
    finally:
        # Pools first, and at once: who installs the chart next finds a definition that nobody uses any more.
        kubectl("delete", "generationpools.genpool.dev", "--all", "--timeout=60s")
        kubectl("delete", "namespace", kubectl.namespace, "--wait=false")


@pytest.fixture
def proxies(rabbitmq_server: Server) -> Iterator[tuple[TcpProxy, TcpProxy]]:
    """The broker's AMQP port and management port, as the operator sees them; they can be cut."""
    management = rabbitmq_server.management_url.rpartition(":")
    pair = (
        TcpProxy(rabbitmq_server.host, rabbitmq_server.port),
        TcpProxy(management[0].removeprefix("http://"), int(management[2])),
    )
    yield pair
    for proxy in pair:
        proxy.close()


@pytest.fixture
def stopped_operator(
    kubectl: Kubectl, rabbitmq: Vhost, proxies: tuple[TcpProxy, TcpProxy], tmp_path: Path
) -> Iterator[OperatorProcess]:
    """An operator that looks after the test's namespace, not started yet."""
    amqp, management = proxies
    (tmp_path / "username").write_text(rabbitmq.server.username)
    (tmp_path / "password").write_text(rabbitmq.server.password)
    broker = {
        "name": "default",
        "host": "127.0.0.1",
        "port": amqp.port,
        "managementUrl": f"http://127.0.0.1:{management.port}",
        "credentialsPath": str(tmp_path),
        "vhosts": [rabbitmq.name, f"{rabbitmq.name}-new"],
    }
    (tmp_path / "brokers.yaml").write_text(yaml.safe_dump({"brokers": [broker]}))
    process = OperatorProcess(
        environment={
            "KUBECONFIG": str(kubectl.info.kubeconfig),
            "GENPOOL_BROKERS_FILE": str(tmp_path / "brokers.yaml"),
            "GENPOOL_RELEASE_NAMESPACE": kubectl.namespace,
            "GENPOOL_GATEWAY_SECRET": "genpool-gateway",
            "GENPOOL_WORKER_IMAGE": "genpool.test/worker",
            "GENPOOL_WORKER_IMAGE_PULL_POLICY": "Never",
            "GENPOOL_NAMESPACES": kubectl.namespace,
            "GENPOOL_HTTP_PORT": "0",
            "GENPOOL_RESYNC_SECONDS": "5",
        },
        log=tmp_path / "operator.log",
    )
    try:
        yield process
        process.stop()
        assert not process.lines("reconcile_crashed"), process.log.read_text()
    finally:
        # Users belong to the whole broker; the namespace goes only after the operator.
        for rights in rabbitmq.api("GET", f"vhosts/{rabbitmq.name}/permissions"):
            if names.key_of_user(rights["user"]) is not None:
                rabbitmq.api("DELETE", f"users/{rights['user']}", missing_ok=True)
        rabbitmq.api("DELETE", f"vhosts/{rabbitmq.name}-new", missing_ok=True)


@pytest.fixture
def operator(stopped_operator: OperatorProcess) -> OperatorProcess:
    """The same, running."""
    stopped_operator.start()
    return stopped_operator


@pytest.fixture
def broker(rabbitmq: Vhost, tmp_path: Path) -> BrokerConfig:
    (tmp_path / "username").write_text(rabbitmq.server.username)
    (tmp_path / "password").write_text(rabbitmq.server.password)
    return BrokerConfig(
        name="default",
        host=rabbitmq.server.host,
        port=rabbitmq.server.port,
        management_url=rabbitmq.server.management_url,
        credentials_path=str(tmp_path),
        vhosts=[rabbitmq.name],
    )


@pytest.fixture
def pool(rabbitmq: Vhost) -> GenerationPool:
    meta = {"name": "pictures", "namespace": "team", "uid": UID}
    spec = {
        "broker": {"vhost": rabbitmq.name},
        "queue": {"name": QUEUE, "messageTTLSeconds": 3600, "deadLetter": {"retentionSeconds": 7200}},
        "workflows": [{"name": "a", "source": {"builtin": "a"}}],
        "comfyui": {"image": "x"},
        "storage": {"s3": {"bucket": "results"}},
    }
    return GenerationPool.parse({"metadata": meta, "spec": spec})


@pytest.fixture
def user(rabbitmq: Vhost) -> Iterator[BrokerUser]:
    # A name of this test's own: users belong to the whole broker.
    name = names.worker_user(rabbitmq.name, "0a1b2c3d")
    yield BrokerUser(name, PASSWORD, worker_permissions(QUEUE, rabbitmq.name), "genpool-installation-1")
    rabbitmq.api("DELETE", f"users/{name}", missing_ok=True)


@pytest.fixture
def api(broker: BrokerConfig) -> Iterator[ManagementApi]:
    made = ManagementApi(broker)
    yield made
    made.close()
