"""Uploads into a real bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from genpool_core.tasks.uploads import upload_key
from genpool_gateway.store.opening import open_store
from integration.bucket import Bucket
from integration.gateway.api import Api
from integration.gateway.test_ended import api as api  # noqa: PLC0414 - a fixture

PICTURE = b"a picture"
WANTED = {"pool": "text", "name": "a.png", "content_type": "image/png", "size_bytes": len(PICTURE)}


def _made(api: Api) -> dict[str, Any]:
    answer = api.call("POST", "/v1/uploads", WANTED)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_file_of_the_stated_size_is_put_below_its_owners_folder(api: Api, bucket: Bucket) -> None:
    made = _made(api)
    answer = requests.put(made["url"], PICTURE, headers=made["headers"], timeout=10)
    assert answer.ok, answer.text
    prefix = f"{api.process.vhost.name}/"
    found = bucket.client().list_objects_v2(Bucket=bucket.name, Prefix=f"{prefix}uploads/")["Contents"]
    (key,) = [item["Key"] for item in found]
    owner = key.removeprefix(f"{prefix}uploads/").partition("/")[0]
    store = open_store(api.process.environment["GENPOOL_DATABASE_URL"])
    now = datetime.now(UTC)
    (noted,) = store.loose.due((bucket.endpoint, bucket.name), before=now, limit=9)
    store.close()
    assert (noted.key, noted.upload, noted.owner) == (key, made["id"], owner)
    assert now - noted.made_at < timedelta(minutes=1)
    assert key == upload_key(made["id"], prefix=prefix, owner=owner)


@pytest.mark.parametrize("sent", [PICTURE + b"!", PICTURE[:-1]])
def test_a_file_of_another_size_is_refused_by_the_store(api: Api, sent: bytes) -> None:
    made = _made(api)
    headers = {"Content-Type": made["headers"]["Content-Type"]}
    assert requests.put(made["url"], sent, headers=headers, timeout=10).status_code == 403


def test_what_cannot_be_an_upload_is_refused(api: Api) -> None:
    for change in (
        {"name": "../x"},
        {"content_type": "text/html"},
        {"size_bytes": 1 << 40},
        {"size_bytes": 1 << 30},
    ):
        answer = api.call("POST", "/v1/uploads", {**WANTED, **change})
        assert answer.status_code == 422, answer.text
