"""Inputs that leave a message which is too large for a queue."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from genpool_core.canonical import canonical_json
from genpool_core.jsontypes import JsonObject
from genpool_core.tasks.check import validate
from genpool_gateway.accepting.refusals import TooLarge
from genpool_gateway.accepting.set_apart import MOST_MESSAGE_BYTES, Apart, set_apart
from genpool_gateway.api.problems import problem_of
from genpool_gateway.pools.check import check_request
from support.pool_objects import PEOPLE, TEXT, directory, pool_object

POOLS = directory(
    pool_object("pictures", TEXT, security={"allowGraphs": True, "allowGraphsWithPodIdentity": True}),
    pool_object("photos", PEOPLE, queue="photos"),
)
PNG = b"\x89PNG\r\n\x1a\n"


def _picture(size: int) -> tuple[bytes, str]:
    data = PNG + bytes(size - len(PNG))
    return data, f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _apart(request: JsonObject, *, owner: str = "key-1", task_id: str = "t") -> Apart:
    return set_apart(check_request(POOLS, request, new_id=task_id, owner=owner), owner)


def _photo(size: int, **fields: str) -> JsonObject:
    return {"pool": "photos", "workflow": PEOPLE, "parameters": {"image_url": _picture(size)[1]}, **fields}


def _graph(characters: int) -> JsonObject:
    return {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x" * characters}}}


def test_what_fits_stays_as_it_is() -> None:
    request = _photo(40_000)
    apart = _apart(request)
    assert (apart.inputs, apart.checked.body["parameters"]) == ((), request["parameters"])
    assert len(apart.checked.content) < MOST_MESSAGE_BYTES


def test_a_file_goes_and_the_message_names_it() -> None:
    data, _ = _picture(60_000)
    apart = _apart(_photo(60_000))
    (taken,) = apart.inputs
    digest = hashlib.sha256(data).hexdigest()
    assert (taken.digest, taken.data, taken.content_type) == (digest, data, "image/png")
    assert apart.checked.body["parameters"] == {"image_url": f"input:{digest}"}
    assert json.loads(apart.checked.content) == apart.checked.body
    assert apart.checked.validated.inputs == {"image_url": digest}
    assert str(data) not in repr(apart)


def test_one_at_the_top_level_goes_too_and_one_that_is_overruled_does_not_count() -> None:
    body: JsonObject = {"workflow": PEOPLE, "image_url": _picture(60_000)[1]}
    apart = _apart(body)
    assert apart.checked.body["image_url"] == f"input:{apart.inputs[0].digest}"
    overruled: JsonObject = {**body, "parameters": {"image_url": "https://example.com/a.png"}}
    with pytest.raises(TooLarge):
        _apart(overruled)


def test_a_graph_goes_and_the_message_names_it() -> None:
    graph = _graph(70_000)
    apart = _apart({"pool": "pictures", "prompt": graph})
    (taken,) = apart.inputs
    assert (taken.data, taken.content_type) == (canonical_json(graph), "application/json")
    assert taken.digest == hashlib.sha256(taken.data).hexdigest()
    assert apart.checked.body["prompt"] == {"$input": taken.digest}
    as_text = _apart({"pool": "pictures", "prompt": json.dumps(graph)})
    assert (as_text.checked.body, as_text.inputs) == (apart.checked.body, apart.inputs)


def test_equal_tasks_stay_equal_and_others_do_not() -> None:
    def key(size: int, owner: str = "key-1", **fields: str) -> str:
        return _apart(_photo(size, **fields), owner=owner).checked.key(owner)

    assert key(60_000) == key(60_000)
    assert len({key(60_000), key(60_001), key(60_000, task_id="other"), key(60_000, "key-2")}) == 4


def test_a_worker_of_the_pool_accepts_the_message() -> None:
    apart = _apart(_photo(60_000))
    serving = apart.checked.serving
    body = json.loads(apart.checked.content)
    assert validate(body, serving.config, serving.catalog, owner="key-1") == apart.checked.validated


@pytest.mark.parametrize(
    "request_",
    [
        {"pool": "pictures", "prompt": "a lake", "mine": "x" * MOST_MESSAGE_BYTES},
        {**_photo(60_000), "mine": "x" * MOST_MESSAGE_BYTES},
    ],
)
def test_what_is_too_large_without_them_is_refused_with_what_to_do(request_: JsonObject) -> None:
    with pytest.raises(TooLarge, match="POST /v1/uploads") as caught:
        _apart(request_)
    problem = problem_of(caught.value)
    assert (problem.status, problem.reason) == (413, "RequestTooLarge")
    assert ("without its files" in problem.detail) is ("workflow" in request_)
