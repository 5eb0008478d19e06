"""Links to results: signed where the bucket is listed, and said where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from genpool_core.api.record import parse_pool
from genpool_core.errors import TaskStoreError
from genpool_core.workerconfig import S3Config
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.links import Links, store_of
from genpool_gateway.pools.pool import served_pool
from genpool_gateway.tasks.places import PoolPlace
from support.pool_objects import pool_object, served
from unit.gateway.link_fakes import STORE_FAULT, FakeBuckets, FakePlaces, FakePools, output

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
S3 = {"bucket": "results", "endpoint": "http://store:9000", "urlTTLSeconds": 600}
POOL = served(pool_object(storage={"s3": S3}))
UID = POOL.ref.uid


def _links(
    buckets: FakeBuckets | None = None, pools: FakePools | None = None, places: FakePlaces | None = None
) -> Links:
    return Links(buckets or FakeBuckets(), pools or FakePools([POOL]), places or FakePlaces(), lambda: NOW)


def _place(bucket: str) -> PoolPlace:
    return PoolPlace(POOL.ref, S3Config(bucket=bucket), None, NOW, NOW)


GONE = FakePools(())
PLACES = FakePlaces([_place("results"), _place("former")])


def test_a_link_is_valid_as_long_as_the_pool_says() -> None:
    (link,) = _links().sign(UID, [output()]).values()
    assert link.url == "https://s3.example/results/tasks/a/runs/1/a1-n/a.png?signature=1"
    assert link.expires_at == NOW + timedelta(seconds=600)
    assert link.url not in repr(link)


@pytest.mark.parametrize(
    "links",
    [
        _links(FakeBuckets(())),
        _links(FakeBuckets(fault=STORE_FAULT)),
        _links(pools=FakePools(())),
    ],
)
def test_what_cannot_be_signed_has_no_link(links: Links) -> None:
    assert links.sign(UID, [output()]) == {}


def test_results_of_a_pool_that_is_gone_have_links_where_its_bucket_is_listed() -> None:
    links = _links(pools=GONE, places=PLACES)
    (link,) = links.sign(UID, [output()]).values()
    assert link.url == "https://s3.example/results/tasks/a/runs/1/a1-n/a.png?signature=1"
    assert links.to_save(UID, output()) == f"{link.url}&save"
    assert set(
        _links(FakeBuckets(("former",)), GONE, PLACES).sign(UID, [output(), output("o.png", "former")])
    ) == {"o.png"}


def test_the_place_of_a_pool_that_is_there_is_the_one_of_today() -> None:
    assert _links(places=FakePlaces(fault=TaskStoreError("away."))).place_of(UID) == store_of(POOL)


def test_a_task_of_a_gone_pool_is_told_while_the_store_does_not_say_where_its_results_are() -> None:
    links = _links(pools=GONE, places=FakePlaces(fault=TaskStoreError("away.")))
    with capture_logs() as logs:
        assert links.sign(UID, [output()]) == {}
    assert [line["event"] for line in logs] == ["links_not_signed"]
    with pytest.raises(TaskStoreError):
        links.to_save(UID, output())


def test_while_the_pools_are_not_known_none_of_them_is_gone() -> None:
    with pytest.raises(PoolsUnknown):
        _links(pools=FakePools(None), places=PLACES).sign(UID, [output()])


def test_results_of_the_bucket_before_have_links_where_that_one_is_listed() -> None:
    old = output("old.png", "former")
    assert set(_links().sign(UID, [output(), old])) == {output().key}
    assert set(_links(FakeBuckets(("results", "former"))).sign(UID, [output(), old])) == {
        output().key,
        old.key,
    }


def test_a_pool_that_takes_no_task_has_its_results() -> None:
    pool = served_pool(parse_pool(pool_object(storage={"s3": S3})), None)
    assert pool.serving is None
    assert store_of(pool) == store_of(POOL)


@pytest.mark.parametrize(
    ("buckets", "said"),
    [
        (FakeBuckets(), "signed when they are given out, valid for 600 s."),
        (
            FakeBuckets(()),
            "signed by workers only, for callbacks: bucket results at http://store:9000 is not in",
        ),
    ],
)
def test_how_links_are_made_is_said(buckets: FakeBuckets, said: str) -> None:
    assert _links(buckets).note(POOL).startswith(said)


FOLDER = served(pool_object(storage={"type": "Folder", "folder": {"path": "/srv/a", "urlTTLSeconds": 60}}))


def test_results_in_a_folder_have_links_of_the_gateway() -> None:
    links = _links(FakeBuckets(("/srv/a", "/srv/before", "results")), FakePools([FOLDER]))
    old, bucket = output("old.png", "/srv/before"), output("b.png", "results")
    signed = links.sign(FOLDER.ref.uid, [output(bucket="/srv/a"), old, bucket])
    assert set(signed) == {output().key, old.key}, "where its bucket was, its spec does not say any more"
    assert signed[old.key].expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (("/srv/a",), "signed when they are given out, valid for 60 s."),
        (
            (),
            "none: folder /srv/a is not in the gateway's GENPOOL_FOLDERS. Answers of the API have none. Add",
        ),
    ],
)
def test_how_links_to_a_folder_are_made_is_said(listed: tuple[str, ...], said: str) -> None:
    assert _links(FakeBuckets(listed), FakePools([FOLDER])).note(FOLDER).startswith(said)
