"""What a pool with the identity of its pods cannot promise, in conditions that leave Ready alone."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core import conditions, timing
from genpool_operator.decide.pod_identity import identity_findings
from unit.operator.pools import make_pool
from unit.operator.world import World

KEYS = {"credentials": {"name": "bucket-keys"}}
SURE = timing.IDENTITY_LINK_SECONDS


@pytest.mark.parametrize(
    ("s3", "isolated", "kept"),
    [
        (KEYS, ("True", "WorkerOnly"), ("True", "KeysLast")),
        ({**KEYS, "urlTTLSeconds": 604_800}, ("True", "WorkerOnly"), ("True", "KeysLast")),
        ({}, ("False", "PodIdentity"), ("False", "PodIdentity")),
        ({"urlTTLSeconds": SURE + 1}, ("False", "PodIdentity"), ("False", "PodIdentity")),
        ({"urlTTLSeconds": SURE}, ("False", "PodIdentity"), ("True", "SessionLasts")),
    ],
)
def test_what_is_kept(s3: dict[str, Any], isolated: tuple[str, str], kept: tuple[str, str]) -> None:
    pool = make_pool(storage={"s3": {"bucket": "results", **s3}})
    found = {item.type: (item.status, item.reason) for item in identity_findings(pool)}
    assert found == {conditions.STORAGE_ISOLATED: isolated, conditions.LINK_LIFETIME_KEPT: kept}


def test_the_sentences_name_numbers_and_what_to_do() -> None:
    isolated, kept = identity_findings(make_pool())
    assert "custom nodes can then read, change and delete" in isolated.message
    assert "Name a Secret with keys of the bucket in storage.s3.credentials" in isolated.message
    for number in ("86400 s", f"{SURE} s", f"{timing.IDENTITY_SESSION_SECONDS} s"):
        assert number in kept.message


def test_graphs_are_named_where_they_are_allowed() -> None:
    graphs = {"allowGraphs": True, "allowGraphsWithPodIdentity": True}
    isolated, _ = identity_findings(make_pool(security=graphs))
    assert "custom nodes and graphs of tasks can then" in isolated.message


def test_the_pool_is_ready_all_the_same() -> None:
    world = World()
    world.tasks(0)
    world.put()
    world.look()
    assert world.condition(conditions.READY).status == "True"
    assert world.condition(conditions.STORAGE_ISOLATED).status == "False"
    assert world.condition(conditions.LINK_LIFETIME_KEPT).status == "False"
    assert len(world.status.conditions) <= 16
