"""Why nothing can be put on somebody's cluster, told before anything is pushed or installed."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_dev.cluster.artifacts.registry import pushed_name
from genpool_dev.cluster.providers import gpus
from genpool_dev.cluster.providers.currentcheck import DEFAULT_CLASS, Facts, address_refusal, is_ours, refusal
from genpool_dev.cluster.providers.record import LABEL, Record

RECORD = Record(id="1234", context="yours", server="https://c.example.org")


def storage_class(name: str, **annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": annotations}}


def namespace(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "genpool-dev", "labels": labels}}


DEFAULT = storage_class("fast", **{DEFAULT_CLASS[0]: "true"})


@pytest.mark.parametrize("key", DEFAULT_CLASS)
def test_a_default_class_by_either_spelling_is_enough(key: str) -> None:
    classes = (storage_class("slow"), storage_class("fast", **{key: "true"}))
    assert refusal(Facts("yours", classes, None, None)) is None


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((), "no StorageClass"),
        (
            (storage_class("slow"), storage_class("fast", **{DEFAULT_CLASS[0]: "false"})),
            "slow, fast, of which none",
        ),
        (({"metadata": {"name": "bare"}},), "the classes bare"),
    ],
)
def test_a_cluster_that_makes_no_volumes_is_refused_with_the_command(
    classes: tuple[dict[str, Any], ...], words: str
) -> None:
    told = refusal(Facts("yours", classes, None, None))
    assert told is not None
    assert words in told
    assert f"kubectl annotate storageclass NAME {DEFAULT_CLASS[0]}=true" in told


@pytest.mark.parametrize(
    ("found", "record", "ours"),
    [
        (namespace(**{LABEL: "1234"}), RECORD, True),
        (namespace(**{LABEL: "1234"}), None, False),
        (namespace(**{LABEL: "9"}), RECORD, False),
        (namespace(), RECORD, False),
        ({"metadata": {"name": "genpool-dev"}}, RECORD, False),
    ],
)
def test_a_namespace_is_ours_only_by_its_record(
    found: dict[str, Any], record: Record | None, *, ours: bool
) -> None:
    assert is_ours(found, record) is ours
    told = refusal(Facts("yours", (DEFAULT,), found, record))
    assert (told is None) is ours
    if told is not None:
        assert "kubectl --context=yours delete namespace genpool-dev" in told


@pytest.mark.parametrize(
    ("address", "refused"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True), ("192.0.2.7", False),
     ("host.docker.internal", False)],
)  # fmt: skip
def test_a_loopback_address_is_no_address_for_pods(address: str, *, refused: bool) -> None:
    told = address_refusal(address, "https://127.0.0.1:6443")
    assert (told is not None) is refused
    if told is not None:
        assert "GENPOOL_DEV_HOST" in told


@pytest.mark.parametrize(
    ("name", "pushed"),
    [
        ("localhost/genpool/worker:abc", "registry.example.org/team/worker:abc"),
        ("rabbitmq:4.3-management", "registry.example.org/team/rabbitmq:4.3-management"),
        ("versity/versitygw:v1.8.0", "registry.example.org/team/versitygw:v1.8.0"),
    ],
)
def test_every_image_gets_the_registry_that_was_named(name: str, pushed: str) -> None:
    assert pushed_name(name, "registry.example.org/team/") == pushed


@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        ([], 0),
        ([{"status": {"allocatable": {"cpu": "2"}}}], 0),
        ([{"status": {"allocatable": {gpus.GPU: "0"}}}, {}], 0),
        ([{"status": {"allocatable": {gpus.GPU: "2"}}}, {"status": {"allocatable": {gpus.GPU: "1"}}}], 3),
    ],
)
def test_gpus_are_counted_as_pods_can_have_them(nodes: list[dict[str, Any]], count: int) -> None:
    assert gpus.allocatable(nodes) == count
