"""Who a task is, and what will be run, or why not."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.worker_world import CONFIG, PHOTO, TEXT
from genpool_core.api.security import HostRule
from genpool_core.errors import InvalidMessage, InvalidTask, RefusedInput, TaskFailure
from genpool_core.ledger.decide import Delivery
from genpool_core.messages import headers
from genpool_worker.config import Catalog
from genpool_worker.ports import Message
from genpool_worker.prepare import callback_for, prepare, shown_parameters
from genpool_worker.receive import Delivered, Unnamed, receive

CATALOG = Catalog((TEXT, PHOTO))
OURS = "genpool.worker.pool-uid"
GRAPH = {"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}


def test_the_sender_decides_which_headers_count() -> None:
    own = {headers.ATTEMPT: 2, headers.RUN: 3, "trace": "x"}
    trusted = receive(Message(b'{"task_id": "a"}', own, user_id=OURS), "uid")
    plain = receive(Message(b'{"task_id": "a"}', own, user_id="producer"), "uid")
    assert isinstance(trusted, Delivered)
    assert isinstance(plain, Delivered)
    assert (trusted.run, trusted.delivery) == (3, Delivery(redelivered=False, failed_attempt=2))
    assert (plain.run, plain.delivery) == (1, Delivery(redelivered=False, failed_attempt=None))
    assert trusted.key == plain.key


@pytest.mark.parametrize(
    ("body", "message_id", "task_id"),
    [
        (b'{"task_id": "a"}', "m", "a"),
        (b'{"task_id": 7}', None, "7"),
        (b"{}", "m", "m"),
        (b'{"task_id": ""}', "m", "m"),
        (b'{"task_id": [1]}', "m", "m"),
    ],
)
def test_identity(body: bytes, message_id: str | None, task_id: str) -> None:
    found = receive(Message(body, message_id=message_id), "uid")
    assert isinstance(found, Delivered)
    assert found.task_id == task_id


@pytest.mark.parametrize("body", [b"{}", b'{"task_id": null, "prompt": "x"}', b'{"task_id": [1]}'])
def test_no_identity(body: bytes) -> None:
    assert isinstance(receive(Message(body), "uid"), Unnamed)


def test_no_task() -> None:
    with pytest.raises(InvalidMessage):
        receive(Message(b"[]"), "uid")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"prompt": "x"}, "text-to-image"),
        ({"prompt": "x", "workflow_type": "t2i"}, "text-to-image"),
        ({"image_url": "https://example.com/a.png", "workflow_type": PHOTO.entry.name}, PHOTO.entry.name),
    ],
)
def test_workflow(body: dict[str, Any], name: str) -> None:
    prepared = prepare(body, CONFIG, CATALOG)
    assert prepared.workflow_name == name
    graph = prepared.graph_for(dict.fromkeys(prepared.files, "up/a.png"), "jobs/1")
    saved = [
        node["inputs"]["filename_prefix"] for node in graph.values() if node["class_type"] == "SaveImage"
    ]  # type: ignore[call-overload, index]
    assert all(str(prefix).startswith("jobs/1/") for prefix in saved)


def test_seed_and_parameters_are_recorded_without_secrets() -> None:
    prepared = prepare(
        {"image_url": "https://example.com/a.png?token=s3cr3t#f", "workflow_type": PHOTO.entry.name},
        CONFIG,
        CATALOG,
    )
    assert prepared.files == {"image_url": "https://example.com/a.png?token=s3cr3t#f"}
    assert shown_parameters(prepared.bound) == {"image_url": "https://example.com/a.png"}
    assert prepare({"prompt": "x"}, CONFIG, CATALOG).bound.seed == 42
    assert prepare({"prompt": "x", "seed": 7}, CONFIG, CATALOG).bound.seed == 7


@pytest.mark.parametrize(
    ("body", "kind", "part"),
    [
        ({"prompt": "x", "workflow_type": "nope"}, InvalidTask, "It serves: text-to-image, DDColor"),
        ({"prompt": "x", "workflow_type": 5}, InvalidTask, "workflow_type"),
        ({}, InvalidTask, "prompt is missing"),
        ({"prompt": GRAPH}, InvalidTask, "takes none"),
        ({"prompt": "x", "callback_url": "ftp://x"}, InvalidTask, "callback_url"),
        ({"prompt": "x", "callback_url": "https://u:p@x.example/"}, InvalidTask, "callback_url"),
        ({"image_url": "file:///etc/passwd", "workflow_type": PHOTO.entry.name}, RefusedInput, "http"),
        ({"image_url": "http://x.example:22/", "workflow_type": PHOTO.entry.name}, RefusedInput, "port 22"),
    ],
)
def test_refused(body: dict[str, Any], kind: type[TaskFailure], part: str) -> None:
    with pytest.raises(kind) as caught:
        prepare(body, CONFIG, CATALOG)
    assert part in caught.value.message
    assert not caught.value.retryable


def test_hosts_of_the_pool() -> None:
    config = CONFIG.model_copy(
        update={
            "image_hosts": [HostRule(host="cdn.example")],
            "callback_hosts": [HostRule(host="*.client.example")],
        }
    )
    prepare(
        {
            "image_url": "https://cdn.example/a.png",
            "workflow_type": PHOTO.entry.name,
            "callback_url": "https://a.client.example/",
        },
        config,
        CATALOG,
    )
    with pytest.raises(RefusedInput, match="evil"):
        prepare({"image_url": "https://evil.example/a", "workflow_type": PHOTO.entry.name}, config, CATALOG)
    body: dict[str, Any] = {"prompt": "x", "callback_url": "https://evil.example/"}
    with pytest.raises(InvalidTask, match="evil"):
        prepare(body, config, CATALOG)
    assert callback_for(body, config) is None
    assert callback_for({"callback_url": "https://b.client.example/"}, config) == "https://b.client.example/"


def test_own_graph() -> None:
    config = CONFIG.model_copy(update={"allow_graphs": True})
    prepared = prepare({"prompt": GRAPH}, config, CATALOG)
    assert (prepared.workflow_name, prepared.bound.seed, prepared.timeout_seconds) == (None, None, 600)
    assert prepared.graph_for({}, "jobs/1")["1"] == {
        "class_type": "SaveImage",
        "inputs": {"filename_prefix": "jobs/1/1"},
    }
    with pytest.raises(InvalidTask, match=r"Export \(API\)"):
        prepare({"prompt": {"nodes": [], "links": []}}, config, CATALOG)


def test_no_fallback() -> None:
    with pytest.raises(InvalidTask, match="no fallback"):
        prepare({"prompt": "x"}, CONFIG, Catalog((PHOTO,)))
