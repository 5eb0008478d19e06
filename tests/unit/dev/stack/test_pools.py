from pathlib import Path

import pytest
import yaml

from genpool_core.api import GenerationPoolSpec
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.model import ClusterInfo, RabbitMQInfo, S3Info
from genpool_dev.cluster.providers.gpus import GPU
from genpool_dev.demo.prepare import STEP_SECONDS
from genpool_dev.stack import pools

ROOT = Path(__file__).resolve().parents[4]
INFO = ClusterInfo(
    provider="local",
    context="genpool-local",
    kubeconfig=Path("/k"),
    kubectl=Path("/b/kubectl"),
    helm=Path("/b/helm"),
    images={"comfyui-standin": "localhost/standin:1a2b"},
    rabbitmq=RabbitMQInfo(
        host="h", port=1, management_url="http://h", username="u", password="p", in_cluster_host="c"
    ),
    s3=S3Info(
        endpoint="http://s",
        in_cluster_endpoint="http://s3.in:9000",
        access_key="a",
        secret_key="b",
        folder=None,
    ),
    host_address="10.213.255.253",
    state_dir=Path("/s"),
)


@pytest.mark.parametrize("name", ["text-pool.yaml", "photo-pool.yaml", "photo-pools.yaml"])
def test_every_text_of_the_examples_is_replaced_and_the_spec_stays_valid(name: str) -> None:
    texts = {**pools.replacements(INFO, 41001, 41002), **pools.slowed(0.1, 1.0)}
    text = pools.replaced((ROOT / pools.EXAMPLES / name).read_text(encoding="utf-8"), texts)
    for old in (pools.EXAMPLE_IMAGE, pools.EXAMPLE_HOST, "8091", "8092", pools.EXAMPLE_S3):
        assert old not in text
    for manifest in yaml.safe_load_all(text):
        spec = GenerationPoolSpec.model_validate(manifest["spec"])
        assert spec.comfyui.image == "localhost/standin:1a2b"
        assert spec.comfyui.command[-3:] == [
            "--standin-step-seconds=0.1",
            "--standin-start-seconds=1",
            "--standin-load-seconds=0",
        ]
        assert spec.storage.s3.endpoint == "http://s3.in:9000"
        (callbacks,) = spec.security.callback_hosts
        assert (callbacks.host, callbacks.ports, callbacks.cidrs) == (
            "10.213.255.253",
            [41002],
            ["10.213.255.253/32"],
        )


@pytest.mark.parametrize("gpus", [0, 1])
@pytest.mark.parametrize("name", ["text-pool.yaml", "photo-pool.yaml", "photo-pools.yaml"])
def test_nothing_asks_for_a_gpu_where_no_node_has_one(name: str, gpus: int) -> None:
    texts = pools.replacements(INFO.model_copy(update={"gpus": gpus}), 41001, 41002)
    text = pools.replaced((ROOT / pools.EXAMPLES / name).read_text(encoding="utf-8"), texts)
    for manifest in yaml.safe_load_all(text):
        limits = manifest["spec"]["comfyui"]["resources"]["limits"]
        assert limits.get(GPU, 0) == gpus
        assert limits["memory"] == "512Mi"


def test_the_example_pools_are_what_the_demo_expects() -> None:
    read = [
        pool
        for name in STEP_SECONDS
        for pool in pools.read_pools((ROOT / pools.EXAMPLES / name).read_text(encoding="utf-8"))
    ]
    assert [(pool.name, pool.namespace, pool.queue, pool.intake, pool.prefix) for pool in read] == [
        ("text", "genpool-demo", "generation_tasks", None, "text/"),
        ("photo-people", "genpool-demo", "photo_people_tasks", "photo_repair_tasks", "photo-people/"),
        (
            "photo-buildings",
            "genpool-demo",
            "photo_buildings_tasks",
            "photo_repair_tasks",
            "photo-buildings/",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "texts", "expected"),
    [
        ("a b", {"a": "b", "b": "a"}, "b a"),
        ("8091 and 80910", {"8091": "1", "80910": "2"}, "1 and 2"),
        ("same", {}, "same"),
    ],
)
def test_texts_are_replaced_in_one_pass(text: str, texts: dict[str, str], expected: str) -> None:
    assert pools.replaced(text, texts) == expected


def test_something_else_than_a_pool_is_refused() -> None:
    with pytest.raises(ClusterError, match="GenerationPool"):
        pools.pool_of({"kind": "ConfigMap", "metadata": {"name": "x"}})
