from pathlib import Path

from genpool_dev.cluster.model import ClusterInfo, RabbitMQInfo, S3Info
from genpool_dev.demo.report import where_to_look

INFO = ClusterInfo(
    provider="local",
    context="genpool-local",
    kubeconfig=Path("/state/kubeconfig"),
    kubectl=Path("/cache/bin/kubectl"),
    helm=Path("/cache/bin/helm"),
    images={},
    rabbitmq=RabbitMQInfo(
        host="10.0.0.1",
        port=5672,
        management_url="http://10.0.0.1:15672",
        username="admin",
        password="s3cret",
        in_cluster_host="rabbitmq",
    ),
    s3=S3Info(
        endpoint="http://s", in_cluster_endpoint="http://s", access_key="a", secret_key="s4cret", folder=None
    ),
    host_address="10.0.0.2",
    state_dir=Path("/state"),
)


def test_a_demo_that_was_kept_says_how_to_reach_everything_but_no_password() -> None:
    told = "\n".join(where_to_look(INFO, Path("/nowhere"), "http://10.0.0.3", kept=True))
    for part in (
        "KUBECONFIG=/state/kubeconfig",
        "PATH=/cache/bin:$PATH",
        "http://10.0.0.1:15672",
        "http://10.0.0.3/docs",
        "/state/demo-api-key",
        "demo-down",
    ):
        assert part in told
    assert "s3cret" not in told
    assert "s4cret" not in told


def test_a_demo_that_is_gone_names_nothing_that_is_gone() -> None:
    told = "\n".join(where_to_look(INFO, Path("/nowhere"), "http://10.0.0.3", kept=False))
    assert "KEEP=1" in told
    assert "10.0.0." not in told
    assert "demo-api-key" not in told
    assert "Pictures: none" in told
