"""Inputs that came inside a task: as data URIs in the message, or in the task's place in the bucket."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from fakes.worker_ports import Queued
from fakes.worker_steps import png
from fakes.worker_world import CONFIG, PHOTO, TEXT, World
from genpool_core import names
from genpool_core.canonical import canonical_json
from genpool_core.identity import task_key
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger import keys
from genpool_core.messages import headers
from genpool_core.tasks.inline import graph_reference, input_value

GATEWAY = names.gateway_user("0a1b2c3d")
PICTURE = png(32, 24)
DIGEST = hashlib.sha256(PICTURE).hexdigest()


def _end(world: World, body: JsonObject, user: str) -> JsonObject:
    world.broker.ready.append(Queued(json.dumps(body).encode(), {headers.OWNER: "k1"}, user_id=user))
    node = world.worker("w1")
    world.drive(node)
    assert node.fetcher.urls == []
    (end,) = world.store.records("end.json").values()
    return end


def _photo(value: str) -> JsonObject:
    return {"task_id": "t", "workflow_type": PHOTO.entry.name, "image_url": value}


def _put(world: World, body: JsonObject, digest: str, data: bytes, owner: str = "k1") -> None:
    """As the gateway does."""
    key = task_key(CONFIG.pool.uid, "t", body, tenant=owner)
    world.store.objects[keys.input_key(CONFIG.store.prefix, key, digest)] = data


def test_a_data_uri_of_any_producer_is_an_input(world: World) -> None:
    value = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    end = _end(world, _photo(value), "producer")
    assert end["outcome"] == "succeeded"
    assert end["parameters"] == {"image_url": f"data:image/png;base64,… ({len(value)} characters)"}


def test_a_data_uri_that_is_no_image_is_refused(world: World) -> None:
    end = _end(world, _photo("data:image/png;base64,aGVsbG8="), "producer")
    assert (end["outcome"], end["reason"]) == ("dead", "RefusedInput")
    assert "image_url is no image" in str(end["message"])


def test_a_file_in_the_tasks_place_is_an_input(world: World) -> None:
    body = _photo(input_value(DIGEST))
    _put(world, body, DIGEST, PICTURE)
    end = _end(world, body, GATEWAY)
    assert (end["outcome"], end["parameters"]) == ("succeeded", {"image_url": input_value(DIGEST)})


@pytest.mark.parametrize(
    ("data", "owner", "user", "said"),
    [
        (None, "k1", GATEWAY, "is not in the bucket any more"),
        (PICTURE + b"x", "k1", GATEWAY, "was changed in the bucket"),
        (PICTURE, "k2", GATEWAY, "is not in the bucket any more"),
        (PICTURE, "k1", "producer", "which only the gateway writes"),
    ],
)
def test_what_is_not_there_or_not_its_own_ends_the_task(
    world: World, data: bytes | None, owner: str, user: str, said: str
) -> None:
    body = _photo(input_value(DIGEST))
    if data is not None:
        _put(world, body, DIGEST, data, owner)
    end = _end(world, body, user)
    assert (end["outcome"], end["reason"]) == ("dead", "RefusedInput")
    assert said in str(end["message"])


@pytest.fixture
def graphs(world: World) -> World:
    """A pool that takes graphs."""
    return replace(world, config=CONFIG.model_copy(update={"allow_graphs": True}))


def test_a_graph_in_the_tasks_place_is_run(graphs: World) -> None:
    data = canonical_json(TEXT.template)
    digest = hashlib.sha256(data).hexdigest()
    body: JsonObject = {"task_id": "t", "prompt": graph_reference(digest)}
    _put(graphs, body, digest, data)
    assert _end(graphs, body, GATEWAY)["outcome"] == "succeeded"


@pytest.mark.parametrize("data", [b"\xff", b"{", b"{}", b'{"9": {}}'])
def test_what_is_no_graph_ends_the_task(graphs: World, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    body: JsonObject = {"task_id": "t", "prompt": graph_reference(digest)}
    _put(graphs, body, digest, data)
    end = _end(graphs, body, GATEWAY)
    assert (end["outcome"], end["reason"]) == ("dead", "InvalidTask")
