"""Who a task is, and what is derived from it."""

from __future__ import annotations

import json
import random
import uuid
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.canonical import canonical_json, digest
from genpool_core.identity import claim_event_id, end_id, prompt_id, task_key

TEXT = st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
BODIES = st.dictionaries(TEXT, VALUES, max_size=6)
PHOTO: dict[str, Any] = {
    "task_id": "task_12345",
    "image_url": "https://a.example/1.jpg",
    "parameters": {"size": 680},
}


def shuffled(value: Any, seed: int) -> Any:  # noqa: ANN401 - any JSON
    """The same value with the keys of its objects in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        random.Random(seed).shuffle(items)  # noqa: S311 - an order, no secret
        return {key: shuffled(inner, seed) for key, inner in items}
    return [shuffled(inner, seed) for inner in value] if isinstance(value, list) else value


@given(body=BODIES, seed=st.integers())
def test_the_order_of_keys_makes_no_other_task(body: dict[str, Any], seed: int) -> None:
    other = shuffled(body, seed)
    assert canonical_json(other) == canonical_json(body)
    assert task_key("pool", "id", other) == task_key("pool", "id", body)


@given(value=VALUES)
def test_canonical_json_is_the_value(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert json.loads(canonical_json(value)) == value


NUMBERS = st.sampled_from([0, 1, 10, 0.0, 1.0, 10.0, -1, True, False, None, "0", "1", "null", ""])
FEW = st.recursive(
    NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(one=FEW, other=FEW)
def test_other_values_have_another_spelling(one: Any, other: Any) -> None:  # noqa: ANN401 - any JSON
    same = canonical_json(one) == canonical_json(other)
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0, 0.0),
        (0, False),
        (1, True),
        (1.0, True),
        (1, "1"),
        (None, "null"),
        (None, ""),
        ([], {}),
        ([], [[]]),
    ],
)
def test_values_that_python_or_people_take_for_equal_are_not(one: Any, other: Any) -> None:  # noqa: ANN401
    assert canonical_json(one) != canonical_json(other)
    assert canonical_json([{"a": one}]) != canonical_json([{"a": other}])


def test_canonical_json_takes_every_text() -> None:
    assert canonical_json({"b": 1, "a": ["é", "日落", "😀"]}) == '{"a":["é","日落","😀"],"b":1}'.encode()
    assert canonical_json("\ud800") == b'"\xed\xa0\x80"'
    assert canonical_json("\ud800") != canonical_json("\udfff")
    assert len(task_key("pool", "\ud800", {"prompt": "\ud800"})) == 40


def cut(data: bytes, places: set[int]) -> list[bytes]:
    """The parts of ``data`` between these places."""
    bounds = [0, *sorted(places), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


PLACES = st.sets(st.integers(0, 4), max_size=2)


@given(data=st.binary(min_size=4, max_size=4), places=PLACES, others=PLACES)
def test_a_digest_tells_lists_of_parts_apart(data: bytes, places: set[int], others: set[int]) -> None:
    """The same bytes, divided in another way."""
    parts, other = cut(data, places), cut(data, others)
    assert (digest(*parts) == digest(*other)) == (parts == other)


def test_what_makes_another_task() -> None:
    key = task_key("pool", "task_12345", PHOTO)
    assert key == task_key("pool", "task_12345", json.loads(json.dumps(PHOTO)))
    other_photo = {**PHOTO, "image_url": "https://a.example/2.jpg"}
    keys = {
        key,
        task_key("pool", "task_12345", other_photo),
        task_key("pool", "task_1234", PHOTO),
        task_key("another pool", "task_12345", PHOTO),
        task_key("pool", "task_12345", PHOTO, tenant="acme"),
    }
    assert len(keys) == 5


def test_a_task_key_is_safe_in_every_name() -> None:
    key = task_key("pool", "../../etc/passwd\n日", {})
    assert len(key) == 40
    assert set(key) <= set("0123456789abcdef")


def test_the_key_of_a_task_never_changes() -> None:
    """It is in buckets: another one would make every redelivered task a new one."""
    key = task_key("6c5e", "task_12345", PHOTO)
    assert key == "fb18288ba3c45aefa284866df4a84adca162eb9a"
    # Receivers and ComfyUI know these: another release must announce the same end under the same id.
    assert prompt_id(key, 1, 2) == "4e3a91b5-a627-5b7f-979e-5338dfa0423d"
    assert claim_event_id(key, 1, 2) == "a61c3d0a-bbcd-5368-8de7-ee9197c23910"
    assert end_id(key, 1) == "49461659-160e-5871-bdb6-7c77685f3ca4"


def test_derived_ids() -> None:
    key = task_key("pool", "a", {})
    ids = [
        prompt_id(key, 1, 1),
        prompt_id(key, 1, 2),
        prompt_id(key, 2, 1),
        claim_event_id(key, 1, 1),
        claim_event_id(key, 1, 2),
        end_id(key, 1),
        end_id(key, 2),
    ]
    assert len(set(ids)) == len(ids)
    for text in ids:
        assert str(uuid.UUID(text)) == text
    assert prompt_id(key, 1, 1) == prompt_id(key, 1, 1)
