"""Uploads that tasks name: those that are not there, or no images, are refused before anything is queued."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from integration.bucket import Bucket
from integration.gateway.api import Api
from integration.gateway.test_inputs import PEOPLE
from integration.gateway.test_inputs import api as api  # noqa: PLC0414 - a fixture
from integration.gateway.test_inputs import store as store  # noqa: PLC0414 - a fixture
from support.tcpproxy import TcpProxy

PICTURE = b"\x89PNG\r\n\x1a\n and more"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def _made(api: Api, data: bytes | None) -> str:
    """An upload's id; None: its file is never put."""
    size = len(PICTURE if data is None else data)
    wanted = {"pool": "text", "name": "a.png", "content_type": "image/png", "size_bytes": size}
    made = api.call("POST", "/v1/uploads", wanted).json()
    if data is not None:
        answer = requests.put(made["url"], data, headers=made["headers"], timeout=10)
        assert answer.ok, answer.text
    return str(made["id"])


def _photo(upload: str, **more: str) -> dict[str, Any]:
    return {"workflow": PEOPLE, "parameters": {"image_url": upload}, **more}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "the upload a.png is not in bucket"),
        (SVG, "the upload a.png is no image: send a PNG, JPEG, WebP, GIF or BMP file"),
    ],
)
def test_one_that_does_not_serve_is_refused_by_name(api: Api, data: bytes | None, said: str) -> None:
    upload = _made(api, data)
    answer = api.call("POST", "/v1/tasks", _photo(upload))
    problem = answer.json()
    assert (answer.status_code, problem["reason"], problem["parameter"]) == (
        422,
        "RefusedInput",
        "image_url",
    ), answer.text
    assert said in problem["detail"]
    good = _made(api, PICTURE)
    batch = api.call("POST", "/v1/tasks/batch", {"tasks": [_photo(upload), _photo(good)]}).json()["results"]
    assert [each["status"] for each in batch] == [422, 202]
    assert len(api.queued()) == 1
    assert len(api.call("GET", "/v1/tasks").json()["tasks"]) == 1


def test_a_retry_is_the_same_task_whatever_became_of_its_upload(api: Api, bucket: Bucket) -> None:
    upload = _made(api, PICTURE)
    first = api.call("POST", "/v1/tasks", _photo(upload), headers={"Idempotency-Key": "order-1"}).json()
    client = bucket.client()
    for item in client.list_objects_v2(Bucket=bucket.name)["Contents"]:
        client.delete_object(Bucket=bucket.name, Key=item["Key"])
    again = api.call("POST", "/v1/tasks", _photo(upload), headers={"Idempotency-Key": "order-1"})
    assert (again.status_code, again.json()["id"]) == (202, first["id"]), again.text
    assert api.call("POST", "/v1/tasks", _photo(upload)).status_code == 422


@pytest.mark.parametrize("how", ["cut", "hang"])
def test_while_the_bucket_is_away_workers_find_it_out(api: Api, store: TcpProxy, how: str) -> None:
    upload = _made(api, PICTURE)
    getattr(store, how)()
    answer = api.call("POST", "/v1/tasks", _photo(upload))
    assert answer.status_code == 202, answer.text
    assert len(api.queued()) == 1


def test_a_file_that_is_no_image_is_not_taken(api: Api, bucket: Bucket) -> None:
    wanted = {"pool": "text", "name": "a.svg", "content_type": "image/svg+xml", "size_bytes": len(SVG)}
    answer = api.call("POST", "/v1/uploads", wanted)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "content_type")
    place = f"{api.url}/v1/uploads/{'0a' * 16}/a.svg"
    for content_type, status in (("image/svg+xml", 415), ("image/png", 422)):
        headers = {"Content-Type": content_type, "Authorization": f"Bearer {api.key}"}
        answer = requests.put(place, SVG, params={"pool": "text"}, headers=headers, timeout=10)
        assert answer.status_code == status, answer.text
        assert "PNG, JPEG, WebP, GIF or BMP" in answer.json()["detail"]
    prefix = f"{api.process.vhost.name}/uploads/"
    assert "Contents" not in bucket.client().list_objects_v2(Bucket=bucket.name, Prefix=prefix)
