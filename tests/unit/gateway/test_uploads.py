"""A place for a sender's file."""

from __future__ import annotations

import pytest

from genpool_core.errors import GenPoolError
from genpool_gateway.pools.uploads import Upload, new_upload
from support.pool_objects import PEOPLE, pool_object, served
from unit.gateway.link_fakes import FakeBuckets

TOKEN = "0a" * 16
POOL = served(
    pool_object(
        "photos", PEOPLE, storage={"s3": {"bucket": "results", "prefix": "p/"}}, security={"maxInput": "1Mi"}
    )
)


def _upload(*, size: int = 5, buckets: FakeBuckets | None = None) -> Upload:
    return new_upload(
        POOL,
        buckets or FakeBuckets(),
        owner="key-1",
        token=TOKEN,
        name="a.png",
        content_type="image/png",
        size=size,
    )


def test_it_is_below_its_owners_folder_with_its_size_signed() -> None:
    upload = _upload()
    assert upload.id == f"upload:{TOKEN}/a.png"
    assert (
        upload.url
        == f"https://s3.example/results/p/uploads/key-1/{TOKEN}/a.png?signature=1&type=image/png&size=5"
    )
    assert upload.url not in repr(upload)


@pytest.mark.parametrize(
    ("size", "buckets", "reason", "said"),
    [
        ((1 << 20) + 1, FakeBuckets(), "RefusedInput", "at most 1,048,576 bytes"),
        (5, FakeBuckets(()), "StoreNotListed", "nothing can be uploaded"),
    ],
)
def test_where_there_is_no_place_it_is_said(size: int, buckets: FakeBuckets, reason: str, said: str) -> None:
    with pytest.raises(GenPoolError, match=said) as caught:
        _upload(size=size, buckets=buckets)
    assert caught.value.reason == reason
