"""Inputs that came inside a task: in its message, or in its own place in the bucket where only the gateway says so."""

from __future__ import annotations

import base64

import pytest

from fakes.worker_world import CONFIG, PHOTO, TEXT
from genpool_core.errors import InvalidTask, RefusedInput
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.ledger import keys
from genpool_core.tasks.check import ValidatedTask, shown_parameters, validate
from genpool_core.tasks.inline import graph_reference, input_value
from genpool_core.workflow.catalog import Catalog

DIGEST = "ab" * 32
GRAPHS = CONFIG.model_copy(update={"allow_graphs": True})
PNG = b"\x89PNG\r\n\x1a\n" * 1000
DATA = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def _validated(value: JsonValue, owner: str | None = None) -> ValidatedTask:
    body: JsonObject = {"image_url": value, "workflow_type": PHOTO.entry.name}
    return validate(body, CONFIG, Catalog((TEXT, PHOTO)), owner=owner)


def _graph(prompt: JsonValue, owner: str | None = "key-1") -> ValidatedTask:
    return validate({"prompt": prompt}, GRAPHS, Catalog((TEXT, PHOTO)), owner=owner)


def test_a_data_uri_is_a_file_whatever_the_schema_says_of_urls() -> None:
    validated = _validated(DATA)
    assert validated.files == {"image_url": DATA}
    assert shown_parameters(validated.bound) == {
        "image_url": f"data:image/png;base64,… ({len(DATA)} characters)"
    }


def test_one_that_is_larger_than_the_pool_takes_is_refused() -> None:
    with pytest.raises(RefusedInput, match=r"more than 1,048,576 bytes.*security\.maxInput"):
        _validated(f"data:image/png;base64,{'A' * (2 << 20)}")


def test_a_file_in_the_tasks_place_is_known_by_its_digest() -> None:
    validated = _validated(input_value(DIGEST), "key-1")
    assert (validated.inputs, validated.files, validated.uploads) == ({"image_url": DIGEST}, {}, {})
    assert keys.input_key("p/", "k", DIGEST) == f"p/inputs/k/{DIGEST}"
    assert shown_parameters(validated.bound) == {"image_url": input_value(DIGEST)}


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        (input_value(DIGEST), None),
        ("input:", "key-1"),
        (input_value(DIGEST.upper()), "key-1"),
        (input_value("../" + DIGEST), "key-1"),
        (input_value(DIGEST + "\n"), "key-1"),
    ],
)
def test_no_other_message_names_one(value: str, owner: str | None) -> None:
    with pytest.raises(RefusedInput, match="which only the gateway writes") as caught:
        _validated(value, owner)
    assert caught.value.parameter == "image_url"


def test_a_graph_in_the_tasks_place_is_known_by_its_digest() -> None:
    validated = _graph(graph_reference(DIGEST))
    assert (validated.graph, validated.graph_digest, validated.workflow) == (None, DIGEST, None)


@pytest.mark.parametrize(
    ("prompt", "owner"),
    [
        (graph_reference(DIGEST), None),
        (graph_reference("x"), "key-1"),
        ({"$input": 5}, "key-1"),
        ({**graph_reference(DIGEST), "9": {"class_type": "SaveImage", "inputs": {}}}, "key-1"),
    ],
)
def test_no_other_message_names_a_graph(prompt: JsonValue, owner: str | None) -> None:
    with pytest.raises(InvalidTask, match="send the graph itself") as caught:
        _graph(prompt, owner)
    assert caught.value.parameter == "prompt"


def test_a_graph_where_none_is_allowed_is_refused_wherever_it_lies() -> None:
    with pytest.raises(InvalidTask, match=r"security\.allowGraphs"):
        validate({"prompt": graph_reference(DIGEST)}, CONFIG, Catalog((TEXT, PHOTO)), owner="key-1")


def test_a_data_uri_that_is_no_image_is_refused_before_it_is_queued() -> None:
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    with pytest.raises(RefusedInput, match="image_url is no image: send a PNG, JPEG") as caught:
        _validated(f"data:image/svg+xml;base64,{svg}")
    assert caught.value.parameter == "image_url"
