"""Tasks at the gateway's door, and what a worker makes of the messages."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core.api.record import parse_pool
from genpool_core.errors import InvalidTask, RefusedInput, RefusedTask
from genpool_core.identity import task_key
from genpool_core.messages.amqp import Delivery
from genpool_core.tasks.check import validate
from genpool_core.tasks.decode import TaskDelivery, decode
from genpool_gateway.pools.check import check_request
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import NotServed, PoolUnavailable
from genpool_gateway.pools.pool import served_pool
from support.pool_objects import BUILDINGS, PEOPLE, TEXT, directory, pool_object

POOLS = directory(
    pool_object("pictures", TEXT),
    pool_object(
        "photos", PEOPLE, BUILDINGS, queue="photos", security={"imageHosts": [{"host": "cdn.example"}]}
    ),
)
SUNSET = {
    "task_id": "uuid-v4",
    "prompt": "a beautiful sunset",
    "negative_prompt": "blurry, low quality",
    "width": 512,
    "height": 512,
    "steps": 20,
    "model": "realisticVisionV6",
    "callback_url": "https://client.example/hook",
}
PHOTO = {
    "task_id": "task_12345",
    "image_url": "https://cdn.example/images/bw_photo.jpg",
    "workflow_type": PEOPLE,
    "parameters": {"size": 680, "model": "ddcolor-imagenet"},
}
API = {
    "pool": "team/photos",
    "workflow": PEOPLE,
    "parameters": {"image_url": "https://cdn.example/a.jpg", "size": 500},
    "webhook_url": "https://client.example/hook",
    "metadata": {"order": 5},
    "priority": 3,
}


@pytest.mark.parametrize(
    ("request_", "body", "pool"),
    [
        ({**SUNSET, "pool": "pictures"}, SUNSET, "team/pictures"),
        ({**SUNSET, "workflow": TEXT}, {**SUNSET, "workflow_type": TEXT}, "team/pictures"),
        (PHOTO, PHOTO, "team/photos"),
        ({**PHOTO, "priority": None, "metadata": None, "pool": "", "workflow": ""}, PHOTO, "team/photos"),
        ({**PHOTO, "callback_url": "", "task_id": ""}, {**PHOTO, "task_id": "new"}, "team/photos"),
        (
            {"pool": "pictures", "prompt": "x", "parameters": {}},
            {"prompt": "x", "task_id": "new"},
            "team/pictures",
        ),
        (
            API,
            {
                "workflow_type": PEOPLE,
                "parameters": API["parameters"],
                "callback_url": API["webhook_url"],
                "task_id": "new",
            },
            "team/photos",
        ),
        (
            {**API, "callback_url": API["webhook_url"], "workflow_type": PEOPLE, "task_id": 7},
            {
                "workflow_type": PEOPLE,
                "parameters": API["parameters"],
                "callback_url": API["webhook_url"],
                "task_id": 7,
            },
            "team/photos",
        ),
    ],
)
def test_the_message_of_a_request(request_: dict[str, Any], body: dict[str, Any], pool: str) -> None:
    checked = check_request(POOLS, request_, new_id="new")
    assert (checked.body, checked.pool.name) == (body, pool)
    # The worker, which knows nothing of the gateway, reads the same task.
    assert checked.pool.serving is not None
    delivery = Delivery(checked.content)
    decoded = decode(delivery, checked.pool.ref.uid)
    assert isinstance(decoded, TaskDelivery)
    assert decoded.body == body
    assert decoded.ref.task_id == checked.task_id
    validated = validate(decoded.body, checked.serving.config, checked.serving.catalog)
    assert validated.bound == checked.validated.bound
    assert checked.key("k1") == task_key(checked.pool.ref.uid, checked.task_id, decoded.body, tenant="k1")
    assert checked.key("k1") != checked.key("k2")


def test_what_is_not_in_the_message() -> None:
    checked = check_request(POOLS, API, new_id="new")
    assert (checked.priority, checked.metadata) == (3, {"order": 5})
    assert checked.key("k") == check_request(POOLS, {**API, "priority": 1, "metadata": {}}, new_id="new").key(
        "k"
    )
    assert "cdn.example" not in repr(checked.content) or "content=" not in repr(checked)


def test_a_pool_alone_needs_no_name() -> None:
    assert (
        check_request(POOLS.visible_to({"team/pictures"}), {"prompt": "x"}, new_id="n").pool.ref.name
        == "pictures"
    )


@pytest.mark.parametrize(
    ("request_", "kind", "parameter", "part"),
    [
        ({"prompt": "x"}, NotServed, "workflow", "neither pool nor workflow is given"),
        ({"pool": "nope"}, NotServed, "pool", "there is no pool 'nope'"),
        ({"pool": 5}, InvalidTask, "pool", "pool is a number"),
        ({"workflow": "nope"}, NotServed, "workflow", "Workflows: "),
        ({"pool": "photos", "workflow": "nope"}, InvalidTask, "workflow", "It serves: DDColor"),
        ({"pool": "photos", "workflow_type": "nope"}, InvalidTask, "workflow_type", "It serves: DDColor"),
        ({"workflow": 5}, InvalidTask, "workflow", "is a number"),
        ({"workflow": TEXT, "workflow_type": PEOPLE}, InvalidTask, "workflow", "send one of them"),
        ({**API, "callback_url": "https://b.example"}, InvalidTask, "webhook_url", "send one of them"),
        ({**API, "webhook_url": "http://10.0.0.1:9/?s3cr3t"}, InvalidTask, "webhook_url", "port 9"),
        ({**API, "priority": 10}, InvalidTask, "priority", "from 0 to 9"),
        ({**API, "priority": True}, InvalidTask, "priority", "from 0 to 9"),
        ({**API, "metadata": []}, InvalidTask, "metadata", "metadata is a list"),
        ({**API, "task_id": []}, InvalidTask, "task_id", "task_id is a list"),
        ({**API, "parameters": {"size": 5000}}, InvalidTask, "image_url", "image_url is missing"),
        ({**PHOTO, "parameters": {"size": 5000}}, InvalidTask, "size", "5000"),
        ({**PHOTO, "image_url": "https://evil.example/?s3cr3t"}, RefusedInput, "image_url", "evil.example"),
        ({**API, "parameters": {"size": float("nan")}}, InvalidTask, "parameters.size", "out of range"),
        ({"workflow": TEXT, "prompt": "\ud800"}, InvalidTask, "prompt", "surrogate"),
    ],
)
def test_refused(request_: dict[str, Any], kind: type[RefusedTask], parameter: str, part: str) -> None:
    with pytest.raises(kind) as caught:
        check_request(POOLS, request_, new_id="new")
    assert caught.value.parameter == parameter
    assert part in caught.value.message
    assert "s3cr3t" not in f"{caught.value.message}{caught.value.sent}"


def test_a_pool_that_takes_no_task() -> None:
    pools = PoolDirectory.of([served_pool(parse_pool(pool_object()), None)])
    for request in ({"pool": "pictures", "prompt": "x"}, {"workflow": TEXT, "prompt": "x"}, {"prompt": "x"}):
        with pytest.raises(PoolUnavailable, match="no ConfigMap"):
            check_request(pools, request, new_id="new")


def test_no_pool_at_all() -> None:
    with pytest.raises(NotServed, match="Make a GenerationPool") as caught:
        check_request(PoolDirectory(()), {"prompt": "x"}, new_id="new")
    assert caught.value.reason == "PoolUnknown"


@pytest.mark.parametrize(
    ("sent", "parameter"),
    [
        ({**API, "parameters": {"image_url": f"input:{'ab' * 32}"}}, "image_url"),
        ({"pool": "graphs", "prompt": {"$input": "ab" * 32}}, "prompt"),
    ],
)
def test_nobody_sends_what_only_the_gateway_writes(sent: dict[str, Any], parameter: str) -> None:
    graphs = {"allowGraphs": True, "allowGraphsWithPodIdentity": True}
    pools = PoolDirectory.of([*POOLS.pools, *directory(pool_object("graphs", security=graphs)).pools])
    with pytest.raises(RefusedTask, match="only the gateway") as caught:
        check_request(pools, sent, new_id="new", owner="key-1")
    assert caught.value.parameter == parameter
