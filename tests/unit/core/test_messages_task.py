"""Which shape a task has, and what it gives: the table of ``messages/task.py``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.errors import InvalidMessage, InvalidTask
from genpool_core.messages.task import RESERVED, Shape, callback_url_of, parse_body, parse_task, task_id_of

TEXT_TASK: dict[str, Any] = {
    "task_id": "uuid-v4",
    "prompt": "a beautiful sunset",
    "negative_prompt": "blurry, low quality",
    "width": 512,
    "height": 512,
    "steps": 20,
    "model": "realisticVisionV6",
    "callback_url": "https://client.example/hook",
}
PHOTO_TASK: dict[str, Any] = {
    "task_id": "task_12345",
    "image_url": "https://example.com/images/bw_photo.jpg",
    "workflow_type": "DDColor人物黑白修复.json",
    "parameters": {"size": 680, "model": "ddcolor-imagenet"},
}
GRAPH = {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}


def test_the_text_task_of_existing_producers() -> None:
    task = parse_task(TEXT_TASK)
    assert (task.shape, task.workflow, task.graph) == (Shape.FALLBACK, None, None)
    assert task.task_id == "uuid-v4"
    assert task.callback_url == "https://client.example/hook"
    assert task.given == {
        "prompt": "a beautiful sunset",
        "negative_prompt": "blurry, low quality",
        "width": 512,
        "height": 512,
        "steps": 20,
        "model": "realisticVisionV6",
    }
    assert task.explicit == frozenset()


def test_the_photo_task_of_existing_producers() -> None:
    task = parse_task(PHOTO_TASK)
    assert (task.shape, task.workflow) == (Shape.WORKFLOW, "DDColor人物黑白修复.json")
    assert task.given == {
        "image_url": "https://example.com/images/bw_photo.jpg",
        "size": 680,
        "model": "ddcolor-imagenet",
    }
    assert task.explicit == {"size", "model"}


@pytest.mark.parametrize(
    ("prompt", "workflow_type", "shape", "workflow"),
    [
        (GRAPH, None, Shape.GRAPH, None),
        (GRAPH, "any", Shape.GRAPH, None),
        ({}, "any", Shape.GRAPH, None),
        ("text", "any", Shape.WORKFLOW, "any"),
        ("text", None, Shape.FALLBACK, None),
        ("text", "", Shape.FALLBACK, None),
        (None, "any", Shape.WORKFLOW, "any"),
        (None, None, Shape.FALLBACK, None),
        (7, "any", Shape.WORKFLOW, "any"),
        ([GRAPH], None, Shape.FALLBACK, None),
    ],
)
def test_shapes(prompt: object, workflow_type: object, shape: Shape, workflow: str | None) -> None:
    task = parse_task({"prompt": prompt, "workflow_type": workflow_type})  # type: ignore[dict-item]
    assert (task.shape, task.workflow) == (shape, workflow)
    assert (task.graph is not None) == (shape is Shape.GRAPH)
    missing = parse_task({key: value for key, value in task.body.items() if value is not None})
    assert missing.shape is task.shape


def test_parameters_overrule_the_top_level() -> None:
    task = parse_task({"size": 400, "strength": 1, "parameters": {"size": 680}})
    assert task.given == {"size": 680, "strength": 1}
    assert task.explicit == {"size"}


@pytest.mark.parametrize(
    "name", sorted(RESERVED - {"parameters", "workflow_type", "task_id", "callback_url"})
)
def test_a_reserved_name_is_no_parameter_at_the_top_level(name: str) -> None:
    assert parse_task({name: "x"}).given == {}
    assert parse_task({"parameters": {name: "x"}}).given == {name: "x"}


@pytest.mark.parametrize("parameters", [None, {}])
def test_no_parameters(parameters: object) -> None:
    assert parse_task({"parameters": parameters}).explicit == frozenset()  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"parameters": [1]}, "parameters is a list: send an object of names and values."),
        ({"parameters": "size=1"}, "parameters is text: send an object of names and values."),
        ({"parameters": 0}, "parameters is a number: send an object of names and values."),
        (
            {"workflow_type": 3},
            "workflow_type is a number: send the name of a workflow, or leave it out.",
        ),
        (
            {"workflow_type": {}},
            "workflow_type is an object: send the name of a workflow, or leave it out.",
        ),
        ({"task_id": {}}, "task_id is an object: send text."),
        ({"task_id": True}, "task_id is a boolean: send text."),
        ({"task_id": 1.5}, "task_id is a number: send text."),
        ({"task_id": "x" * 513}, "task_id is longer than 512 characters: send a shorter one."),
        ({"callback_url": 1}, "callback_url is not an http or https URL: send one, or leave it out."),
        ({"callback_url": "ftp://a"}, "callback_url is not an http or https URL: send one, or leave it out."),
        (
            {"callback_url": "http://a/".ljust(4097, "x")},
            "callback_url is longer than 4096 characters: send a shorter one.",
        ),
    ],
)
def test_a_reserved_field_of_the_wrong_type(body: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidTask) as caught:
        parse_task(body)
    assert caught.value.message == sentence
    assert caught.value.reason == "InvalidTask"
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        ({}, None),
        ({"task_id": None}, None),
        ({"task_id": ""}, None),
        ({"task_id": "a"}, "a"),
        ({"task_id": 0}, "0"),
        ({"task_id": 12345678901234567890}, "12345678901234567890"),
        ({"task_id": "x" * 512}, "x" * 512),
        ({"task_id": " ../日 "}, " ../日 "),
    ],
)
def test_task_id(body: dict[str, Any], task_id: str | None) -> None:
    assert task_id_of(body) == task_id


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({}, None),
        ({"callback_url": None}, None),
        ({"callback_url": ""}, None),
        ({"callback_url": "http://a"}, "http://a"),
        ({"callback_url": "HTTPS://A/b?c=d"}, "HTTPS://A/b?c=d"),
        ({"callback_url": "http://a/".ljust(4096, "x")}, "http://a/".ljust(4096, "x")),
    ],
)
def test_callback_url(body: dict[str, Any], url: str | None) -> None:
    assert callback_url_of(body) == url


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"null", "the message is JSON but null, not an object."),
        (b"7", "the message is JSON but a number, not an object."),
        (b'"prompt"', "the message is JSON but text, not an object."),
        (b"false", "the message is JSON but a boolean, not an object."),
        (b"[{}]", "the message is JSON but a list, not an object."),
        (b"a sunset", "the message is not JSON: "),
        (b"{'prompt': 'x'}", "the message is not JSON: "),
        (b'{"prompt": "\xff"}', "the message is not JSON in UTF-8: byte 12 is not valid UTF-8."),
        (b'{"prompt": 1} {"prompt": 2}', "the message is not JSON: "),
        ('{"prompt": "日落"}'.encode("gb18030"), "the message is not JSON in UTF-8: "),
    ],
)
def test_what_is_no_task(raw: bytes, sentence: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse_body(raw)
    assert caught.value.message.startswith(sentence)
    assert " Send one JSON object" in caught.value.message
    assert caught.value.reason == "InvalidMessage"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            b'{"n": ' + b"9" * 5000 + b"}",
            "the message holds a number with thousands of digits. Send a shorter one.",
        ),
        (
            b'{"n": -Infinity}',
            "the message is not JSON: it has no -Infinity. Send a number, or leave the field out.",
        ),
        (
            b"[" * 100_000 + b"]" * 100_000,
            "the message is nested deeper than 64 levels. Send a flatter object.",
        ),
    ],
)
def test_what_python_would_read_or_choke_on(raw: bytes, sentence: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse_body(raw)
    assert caught.value.message == sentence


def test_what_people_send() -> None:
    assert (
        parse_body(b'\xef\xbb\xbf{"prompt": "with a byte order mark"}')["prompt"] == "with a byte order mark"
    )
    assert parse_body(b' \r\n{"prompt": "a"}\n')["prompt"] == "a"
    assert parse_body(b'{"prompt": "first", "prompt": "last"}') == {"prompt": "last"}
    assert parse_body(json.dumps(PHOTO_TASK).encode()) == PHOTO_TASK
    assert parse_body(json.dumps(PHOTO_TASK, ensure_ascii=False).encode()) == PHOTO_TASK


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=3)


@given(value=OBJECTS | JSON, ascii_only=st.booleans())
def test_json_is_read_as_it_is_when_it_is_an_object(value: object, *, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    if isinstance(value, dict):
        assert parse_body(raw) == value
    else:
        with pytest.raises(InvalidMessage, match="not an object"):
            parse_body(raw)


def as_python_reads_it(raw: bytes) -> object:
    """The value, or None when it cannot be read, or not be written again."""
    try:
        value = json.loads(raw.decode("utf-8-sig"))
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return None
    return value


@given(value=OBJECTS, at=st.integers(0, 60), other=st.binary(max_size=2))
def test_bytes_are_an_object_or_refused(value: dict[str, Any], at: int, other: bytes) -> None:
    """JSON of which a byte is missing, another, or two."""
    good = json.dumps(value, ensure_ascii=False).encode()
    raw = good[:at] + other + good[at + 1 :]
    expected = as_python_reads_it(raw)
    if isinstance(expected, dict):
        assert parse_body(raw) == expected
    else:
        with pytest.raises(InvalidMessage, match="Send "):
            parse_body(raw)


#: Values of the fields that have a meaning, right ones and others.
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "task_id": st.text(max_size=3) | st.integers(),
    "workflow_type": st.none() | st.text(max_size=3),
    "parameters": st.none() | st.dictionaries(st.sampled_from(["width", "size", "tenant"]), JSON),
    "callback_url": st.sampled_from([None, "", "http://a.example/x", "HTTPS://a.example"]),
    "prompt": st.text(max_size=3) | st.just(GRAPH),
}
ODD: dict[str, st.SearchStrategy[Any]] = {
    "task_id": st.booleans() | st.floats(allow_nan=False) | st.just([]),
    "workflow_type": st.integers() | st.just({}),
    "parameters": st.integers() | st.text(max_size=3) | st.just([]),
    "callback_url": st.integers() | st.just("ftp://a.example"),
}
REST = st.dictionaries(st.sampled_from(["width", "image_url", *sorted(RESERVED - KNOWN.keys())]), JSON)


@given(known=st.fixed_dictionaries({}, optional=KNOWN), rest=REST)
def test_an_object_of_the_right_types_is_a_task(known: dict[str, Any], rest: dict[str, Any]) -> None:
    body = {**known, **rest}
    task = parse_task(body)
    assert task.body is body
    parameters = body.get("parameters") or {}
    assert task.explicit == parameters.keys()
    top = {key: value for key, value in body.items() if key not in RESERVED}
    assert task.given == {**top, **parameters}
    assert task.task_id == (str(body["task_id"]) if body.get("task_id") not in {None, ""} else None)
    assert task.callback_url == (body.get("callback_url") or None)


@given(known=st.fixed_dictionaries({}, optional=KNOWN), rest=REST, data=st.data())
def test_one_field_of_another_type_is_refused_by_its_name(
    known: dict[str, Any], rest: dict[str, Any], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(ODD)))
    with pytest.raises(InvalidTask, match=f"^{field} is "):
        parse_task({**known, **rest, field: data.draw(ODD[field])})
