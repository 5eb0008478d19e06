"""A place for a sender's file."""

from __future__ import annotations

import re

import pytest

from genpool_core.errors import GenPoolError, RefusedInput
from genpool_core.jsontypes import JsonObject
from genpool_core.tasks.check import validate
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.uploads import Upload, check_uploads, new_upload
from support.pool_objects import PEOPLE, pool_object, served
from unit.gateway.link_fakes import FakeBucket, FakeBuckets

TOKEN = "0a" * 16
POOL = served(
    pool_object(
        "photos", PEOPLE, storage={"s3": {"bucket": "results", "prefix": "p/"}}, security={"maxInput": "1Mi"}
    )
)


def _upload(*, size: int = 5, content_type: str = "image/png", buckets: FakeBuckets | None = None) -> Upload:
    return new_upload(
        POOL,
        buckets or FakeBuckets(),
        owner="key-1",
        token=TOKEN,
        name="a.png",
        content_type=content_type,
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


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/heic", "image/avif", "image/tiff"])
def test_what_no_worker_reads_has_no_place(content_type: str) -> None:
    with pytest.raises(RefusedInput, match=f"content_type is {re.escape(content_type)}") as caught:
        _upload(content_type=content_type)
    assert caught.value.parameter == "content_type"


NAMED = f"p/uploads/key-1/{TOKEN}/a.png"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ({NAMED: PNG}, None),
        ({}, r"upload a\.png is not in bucket results .*PUT the file.* for pool team/photos"),
        ({NAMED: b"<svg/>"}, r"upload a\.png is no image"),
        ({NAMED: b""}, r"upload a\.png is no image"),
        ({NAMED: PNG + bytes(1 << 20)}, r"has 1,048,584 bytes.* at most 1,048,576"),
    ],
)
def test_an_upload_that_a_task_names_is_looked_at(objects: dict[str, bytes], said: str | None) -> None:
    body: JsonObject = {"workflow_type": PEOPLE, "image_url": f"upload:{TOKEN}/a.png"}
    serving = require_serving(POOL)
    task = validate(body, serving.config, serving.catalog, owner="key-1")
    bucket = FakeBucket("results", objects=objects)
    if said is None:
        check_uploads(task, serving.config, bucket)
        return
    with pytest.raises(RefusedInput, match=said) as caught:
        check_uploads(task, serving.config, bucket)
    assert caught.value.parameter == "image_url"
