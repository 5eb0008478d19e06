"""How a pool is found."""

from __future__ import annotations

import pytest

from genpool_core.api.record import parse_pool
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import NotServed, PoolUnavailable
from genpool_gateway.pools.pool import served_pool
from support.pool_objects import BUILDINGS, PEOPLE, TEXT, directory, pool_object

ALIASED = {"workflows": [{"name": TEXT, "aliases": ["t2i"], "source": {"builtin": TEXT}}]}
POOLS = directory(
    pool_object("photos", PEOPLE, BUILDINGS, queue="photo_repair_tasks"),
    pool_object("pictures", **ALIASED),
    pool_object("pictures", PEOPLE, namespace="other", queue="others"),
)


def test_lookups() -> None:
    assert [pool.name for pool in POOLS.pools] == ["other/pictures", "team/photos", "team/pictures"]
    photos = POOLS.by_name("team", "photos")
    assert photos is not None
    assert POOLS.by_uid(photos.ref.uid) is photos
    assert POOLS.on_queue("default", "pictures", "photo_repair_tasks") is photos
    assert POOLS.find("team/photos") is POOLS.find("photos") is photos
    assert POOLS.find_serving(BUILDINGS) is photos
    assert POOLS.find_serving("t2i") is POOLS.find_serving(TEXT) is POOLS.by_name("team", "pictures")
    assert [pool.name for pool in POOLS.serving(PEOPLE)] == ["other/pictures", "team/photos"]
    assert POOLS.workflow_names == tuple(sorted((BUILDINGS, PEOPLE, TEXT)))
    assert POOLS.by_uid("none") is POOLS.by_name("team", "none") is None
    assert POOLS.on_queue("default", "/", "photo_repair_tasks") is None


@pytest.mark.parametrize(
    ("name", "reason", "part", "fitting"),
    [
        ("none", "PoolUnknown", "there is no pool 'none'. Pools: other/pictures, team/photos, team", 3),
        ("pictures", "PoolAmbiguous", "send one of other/pictures, team/pictures", 2),
    ],
)
def test_a_name_that_fits_no_pool_or_several(name: str, reason: str, part: str, fitting: int) -> None:
    with pytest.raises(NotServed) as caught:
        POOLS.find(name)
    error = caught.value
    assert (error.reason, error.parameter, error.sent) == (reason, "pool", name)
    assert part in error.message
    assert len((error.expected or {})["enum"]) == fitting  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("workflow", "reason", "part"),
    [
        ("nope", "WorkflowUnknown", f"Workflows: {', '.join(sorted((BUILDINGS, PEOPLE, TEXT)))}."),
        (PEOPLE, "WorkflowAmbiguous", "send pool, one of other/pictures, team/photos"),
    ],
)
def test_a_workflow_that_no_pool_serves_or_several(workflow: str, reason: str, part: str) -> None:
    with pytest.raises(NotServed) as caught:
        POOLS.find_serving(workflow)
    assert caught.value.reason == reason
    assert part in caught.value.message


def test_a_pool_that_takes_no_task_now_is_not_unknown() -> None:
    pools = PoolDirectory.of([served_pool(parse_pool(pool_object()), None)])
    with pytest.raises(PoolUnavailable, match=r"pool team/pictures takes no tasks: .* no ConfigMap"):
        pools.find_serving(TEXT)
    assert pools.find("pictures").serving is None


def test_others_pools_are_not_shown() -> None:
    mine = POOLS.visible_to({"team/pictures"})
    assert mine.workflow_names == (TEXT,)
    assert mine.find("pictures").name == "team/pictures"
    with pytest.raises(NotServed) as caught:
        mine.find_serving(PEOPLE)
    assert "photos" not in caught.value.message
    assert POOLS.visible_to(None) is POOLS
    assert POOLS.visible_to(("team/pictures",)) is mine
    assert POOLS.visible_to(()).pools == ()
