"""A pool from its object and its ConfigMap, or why it takes no task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genpool_core.api.record import parse_pool
from genpool_core.workerconfig import CONFIG_KEY
from genpool_gateway.pools.pool import read_files, served_pool
from support.pool_objects import PEOPLE, TEXT, config_map_object, pool_object, served

TAKEN = {
    "conditions": [
        {
            "type": "Accepted",
            "status": "False",
            "reason": "QueueTaken",
            "message": "pool team/other has the queue generation_tasks.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
}


def test_what_a_pool_serves() -> None:
    pool = served(pool_object("pictures", TEXT, PEOPLE))
    assert pool.trouble is None
    assert pool.serving is not None
    assert (pool.name, pool.ref.uid) == ("team/pictures", "uid-team-pictures")
    assert (pool.serving.broker, pool.serving.vhost) == ("default", "pictures")
    assert pool.serving.queue == "generation_tasks"
    assert pool.serving.catalog.names == f"{TEXT}, {PEOPLE}"


def test_a_refused_change_leaves_what_is_in_force() -> None:
    body = pool_object(status=TAKEN)
    assert served(body).trouble is None


@pytest.mark.parametrize(
    ("body", "data", "part"),
    [
        (pool_object(), None, "has no ConfigMap pictures-workflows yet: the operator makes it"),
        (pool_object(status=TAKEN), None, "yet: pool team/other has the queue"),
        (pool_object(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), {}, "is being deleted"),
        (pool_object(workflows=[]), {}, "cannot be read: spec: workflows is empty"),
        (pool_object(), {}, f"has no key {CONFIG_KEY}"),
        (pool_object(), {CONFIG_KEY: "{"}, f"{CONFIG_KEY}: Invalid JSON"),
        (pool_object(), {CONFIG_KEY: "{}"}, f"{CONFIG_KEY}: pool: Field required"),
        (pool_object(), config_map_object(pool_object(uid="older"))["data"], "is of an earlier pool"),
    ],
)
def test_why_it_takes_no_task(body: dict[str, Any], data: dict[str, str] | None, part: str) -> None:
    files = None if data is None else read_files(data, where="ConfigMap x")
    pool = served_pool(parse_pool(body), files)
    assert pool.serving is None
    assert part in (pool.trouble or "")


def test_files_that_do_not_fit_the_configuration() -> None:
    data = config_map_object(pool_object())["data"]
    key = json.loads(data[CONFIG_KEY])["workflows"][0]["template_key"]
    missing = read_files({name: text for name, text in data.items() if name != key}, where="ConfigMap x")
    assert isinstance(missing, str)
    assert f"no key {key}" in missing
    broken = read_files({**data, key: '{"nodes": []}'}, where="ConfigMap x")
    assert isinstance(broken, str)
    assert broken.startswith("ConfigMap x: workflow text-to-image, template")
