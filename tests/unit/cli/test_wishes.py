"""What is asked of one machine is checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from genpool_cli.errors import CliError, ExitCode
from genpool_cli.local.rabbitmq import Login, Ports, configuration
from genpool_cli.local.wishes import broker_of, command_of, read_pool, storage_keys

POOL = {
    "apiVersion": "genpool.dev/v1alpha1",
    "kind": "GenerationPool",
    "metadata": {"name": "text", "namespace": "art"},
    "spec": {
        "queue": {"name": "generation_tasks"},
        "workflows": [{"name": "text-to-image", "source": {"builtin": "text-to-image"}}],
        "comfyui": {"image": "comfyui:1"},
        "storage": {"s3": {"bucket": "results"}},
    },
}


def written(folder: Path, *manifests: object) -> Path:
    path = folder / "pool.yaml"
    path.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    return path


def test_a_pool_of_a_cluster_is_a_pool_of_a_machine(tmp_path: Path) -> None:
    wanted = read_pool(written(tmp_path, POOL))
    assert (wanted.pool.metadata.name, wanted.pool.metadata.uid) == (
        "text",
        read_pool(tmp_path / "pool.yaml").pool.metadata.uid,
    )
    assert "pool.json" in wanted.config
    assert len(wanted.config) == 3


@pytest.mark.parametrize(
    ("manifests", "sentence"),
    [
        ([], "is empty, or is being written"),
        (
            [{"kind": "ConfigMap", "metadata": {"name": "x"}}],
            "it has 0 GenerationPools, and a ComfyUI works for one",
        ),
        (
            [POOL, {**POOL, "metadata": {"name": "b"}}],
            "it has 2 GenerationPools, and a ComfyUI works for one",
        ),
        (
            [{**POOL, "spec": {**POOL["spec"], "workflows": [{"name": "x", "source": {"builtin": "x"}}]}}],
            "ships no workflow x",
        ),  # type: ignore[dict-item]
        ([{**POOL, "spec": {}}], "spec"),
    ],
)
def test_what_cannot_be_served(tmp_path: Path, manifests: list[object], sentence: str) -> None:
    with pytest.raises(CliError) as caught:
        read_pool(written(tmp_path, *manifests))
    assert sentence in caught.value.message
    assert "pool.yaml" in caught.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"none.yaml cannot be read: No such file"):
        read_pool(tmp_path / "none.yaml")


def test_keys_of_the_bucket() -> None:
    both = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "HOME": "/"}
    assert storage_keys(both) == {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with pytest.raises(CliError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") as caught:
        storage_keys({"AWS_ACCESS_KEY_ID": "a"})
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("url", "management", "expected"),
    [
        ("amqp://u:p@mq", None, ("mq", 5672, False, "http://mq:15672")),
        ("amqps://u:p@mq:5999", None, ("mq", 5999, True, "https://mq:15671")),
        ("amqp://u:p@mq", "http://other:1", ("mq", 5672, False, "http://other:1")),
    ],
)
def test_a_broker_by_its_url(url: str, management: str | None, expected: tuple[object, ...]) -> None:
    broker, user, password = broker_of(url, management, "/", Path("/c"))
    assert (broker.host, broker.port, broker.tls, broker.management_url) == expected
    assert (user, password) == ("u", "p")


def test_words_of_a_login_are_decoded() -> None:
    assert broker_of("amqp://a%40b:p%2Fq@mq", None, "/", Path("/c"))[1:] == ("a@b", "p/q")


@pytest.mark.parametrize("url", ["mq", "http://u:p@mq", "amqp://mq", "amqp://u:p@"])
def test_what_is_no_broker(url: str) -> None:
    with pytest.raises(CliError, match="amqp://USER:PASSWORD@HOST"):
        broker_of(url, None, "/", Path("/c"))


def test_how_comfyui_is_started() -> None:
    assert command_of("python main.py --port {port} --name 'a b'", 8188) == (
        "python",
        "main.py",
        "--port",
        "8188",
        "--name",
        "a b",
    )
    for text in ("", "python 'main"):
        with pytest.raises(CliError, match="--comfyui-command"):
            command_of(text, 1)


def test_a_private_broker_listens_on_loopback_alone() -> None:
    text = configuration(Ports(1, 2, 3, 4), Login("p"))
    assert "listeners.tcp.local = 127.0.0.1:1" in text
    assert "management.tcp.ip = 127.0.0.1" in text
