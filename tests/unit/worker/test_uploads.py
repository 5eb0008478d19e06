"""Inputs that were uploaded: read from the bucket with the worker's own keys, in the gateway's own messages only."""

from __future__ import annotations

import json

import pytest

from fakes.worker_ports import Queued
from fakes.worker_steps import png
from fakes.worker_world import CONFIG, PHOTO, World
from genpool_core import names
from genpool_core.messages import headers

VALUE = f"upload:{'0a' * 16}/a.png"
KEY = f"{CONFIG.store.prefix}uploads/k1/{'0a' * 16}/a.png"
GATEWAY = names.gateway_user("0a1b2c3d")


def _end(world: World, user: str) -> dict[str, object]:
    body = json.dumps({"task_id": "t", "workflow_type": PHOTO.entry.name, "image_url": VALUE}).encode()
    world.broker.ready.append(Queued(body, {headers.OWNER: "k1"}, user_id=user))
    node = world.worker("w1")
    world.drive(node)
    assert node.fetcher.urls == []
    (end,) = world.store.records("end.json").values()
    return dict(end)


def test_an_upload_is_an_input(world: World) -> None:
    world.store.objects[KEY] = png(32, 24)
    end = _end(world, GATEWAY)
    assert end["outcome"] == "succeeded"
    assert end["parameters"]["image_url"] == VALUE  # type: ignore[index]


@pytest.mark.parametrize("user", ["producer", names.gateway_user("0a1b2c3d") + "x"])
def test_a_plain_producers_is_refused(world: World, user: str) -> None:
    world.store.objects[KEY] = png(32, 24)
    end = _end(world, user)
    assert (end["outcome"], end["reason"]) == ("dead", "RefusedInput")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "the upload a.png is not in the bucket"),
        (b"no picture", "the upload a.png is no image"),
        (b"x" * (CONFIG.max_input_bytes + 1), "send a smaller file"),
    ],
)
def test_what_is_no_input_ends_the_task(world: World, data: bytes | None, said: str) -> None:
    if data is not None:
        world.store.objects[KEY] = data
    end = _end(world, GATEWAY)
    assert (end["outcome"], end["reason"]) == ("dead", "RefusedInput")
    assert said in str(end["message"])
