"""What will be run for a task, or why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes.worker_world import CONFIG, PHOTO, TEXT
from genpool_core.api.security import HostRule
from genpool_core.egress_policy import UNREADABLE
from genpool_core.errors import InvalidTask, RefusedInput, RefusedTask, TaskFailure
from genpool_core.tasks.check import callback_for, shown_parameters, validate
from genpool_core.workflow.catalog import Catalog
from genpool_core.workflow.spec import Parameter

CATALOG = Catalog((TEXT, PHOTO))
NAMES = [TEXT.entry.name, PHOTO.entry.name]
HOSTS = {
    "type": "string",
    "format": "uri",
    "description": "An http or https URL. Hosts: cdn.example.",
}
GRAPH = {"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"prompt": "x"}, "text-to-image"),
        ({"prompt": "x", "workflow_type": "t2i"}, "text-to-image"),
        ({"image_url": "https://example.com/a.png", "workflow_type": PHOTO.entry.name}, PHOTO.entry.name),
    ],
)
def test_workflow(body: dict[str, Any], name: str) -> None:
    validated = validate(body, CONFIG, CATALOG)
    assert validated.workflow_name == name
    graph = validated.graph_for(dict.fromkeys(validated.files, "up/a.png"), "jobs/1")
    (saver,) = [
        node_id
        for node_id, node in graph.items()
        if node["class_type"] == "SaveImage"  # type: ignore[call-overload, index]
    ]
    assert graph[saver]["inputs"]["filename_prefix"] == f"jobs/1/{saver}"  # type: ignore[call-overload, index]


def test_seed_and_parameters_are_recorded_without_secrets() -> None:
    validated = validate(
        {"image_url": "https://example.com/a.png?token=s3cr3t#f", "workflow_type": PHOTO.entry.name},
        CONFIG,
        CATALOG,
    )
    assert validated.files == {"image_url": "https://example.com/a.png?token=s3cr3t#f"}
    assert shown_parameters(validated.bound) == {"image_url": "https://example.com/a.png"}
    for scheme in ("http", "HTTPS", "Http"):
        url = f"{scheme}://example.com/a.png"
        plain = {"image_url": f"{url}?token=s3cr3t", "workflow_type": PHOTO.entry.name}
        (shown,) = shown_parameters(validate(plain, CONFIG, CATALOG).bound).values()
        assert str(shown).lower() == url.lower()
    text = validate({"prompt": "is it https://a.example/?b=c", "seed": 7}, CONFIG, CATALOG)
    assert shown_parameters(text.bound) == {"prompt": "is it https://a.example/?b=c", "seed": 7}
    assert validate({"prompt": "x"}, CONFIG, CATALOG).bound.seed == 42
    assert validate({"prompt": "x", "seed": 7}, CONFIG, CATALOG).bound.seed == 7


@pytest.mark.parametrize(
    ("body", "kind", "part"),
    [
        ({"prompt": "x", "workflow_type": "nope"}, InvalidTask, "It serves: text-to-image, DDColor"),
        ({"prompt": "x", "workflow_type": 5}, InvalidTask, "workflow_type"),
        ({}, InvalidTask, "prompt is missing"),
        ({"prompt": GRAPH}, InvalidTask, "accepts none"),
        ({"prompt": "x", "callback_url": "ftp://x"}, InvalidTask, "callback_url"),
        ({"prompt": "x", "callback_url": "https://u:p@x.example/"}, InvalidTask, "callback_url"),
        ({"image_url": "file:///etc/passwd", "workflow_type": PHOTO.entry.name}, RefusedInput, "http"),
        ({"image_url": "http://x.example:22/", "workflow_type": PHOTO.entry.name}, RefusedInput, "port 22"),
    ],
)
def test_refused(body: dict[str, Any], kind: type[TaskFailure], part: str) -> None:
    with pytest.raises(kind) as caught:
        validate(body, CONFIG, CATALOG)
    assert part in caught.value.message
    assert not caught.value.retryable


def test_hosts_of_the_pool() -> None:
    config = CONFIG.model_copy(
        update={
            "image_hosts": [HostRule(host="cdn.example")],
            "callback_hosts": [HostRule(host="*.client.example")],
        }
    )
    validate(
        {
            "image_url": "https://cdn.example/a.png",
            "workflow_type": PHOTO.entry.name,
            "callback_url": "https://a.client.example/",
        },
        config,
        CATALOG,
    )
    with pytest.raises(RefusedInput, match="evil"):
        validate({"image_url": "https://evil.example/a", "workflow_type": PHOTO.entry.name}, config, CATALOG)
    body: dict[str, Any] = {"prompt": "x", "callback_url": "https://evil.example/"}
    with pytest.raises(InvalidTask, match="evil"):
        validate(body, config, CATALOG)
    assert callback_for(body, config) is None
    assert callback_for({"callback_url": "https://b.client.example/"}, config) == "https://b.client.example/"


def test_own_graph() -> None:
    config = CONFIG.model_copy(update={"allow_graphs": True})
    validated = validate({"prompt": GRAPH}, config, CATALOG)
    assert (validated.workflow_name, validated.bound.seed, validated.timeout_seconds) == (None, None, 600)
    assert validated.graph_for({}, "jobs/1")["1"] == {
        "class_type": "SaveImage",
        "inputs": {"filename_prefix": "jobs/1/1"},
    }
    with pytest.raises(InvalidTask, match=r"Export \(API\)"):
        validate({"prompt": {"nodes": [], "links": []}}, config, CATALOG)


def test_no_fallback() -> None:
    with pytest.raises(InvalidTask, match="no fallback"):
        validate({"prompt": "x"}, CONFIG, Catalog((PHOTO,)))


SIZES = {"type": "integer", "minimum": 400, "maximum": 960}
SIZED = replace(
    TEXT,
    parameters=TEXT.parameters.model_copy(
        update={
            "parameters": {
                **TEXT.parameters.parameters,
                "size": Parameter.model_validate(
                    {"schema": SIZES, "targets": [{"node": "17", "input": "steps"}]}
                ),
            }
        }
    ),
)
URL = "https://evil.example/a.png?token=s3cr3t"
PARAMETERS = ["prompt", "seed", "size"]


@pytest.mark.parametrize(
    ("body", "parameter", "expected", "sent"),
    [
        ({"prompt": "x", "size": 5000}, "size", SIZES, 5000),
        ({"prompt": "x", "size": True}, "size", SIZES, True),
        ({"prompt": "x", "size": f"see {URL}"}, "size", SIZES, "see https://evil.example/a.png"),
        ({"prompt": "x", "size": {"a": 1}}, "size", SIZES, "(an object)"),
        ({"seed": 1}, "prompt", {"type": "string"}, None),
        (
            {"prompt": "x", "parameters": {"sise": 500}},
            "sise",
            {"propertyNames": {"enum": PARAMETERS}},
            500,
        ),
        ({"prompt": "x", "workflow_type": "nope"}, "workflow_type", {"enum": NAMES}, "nope"),
        ({"prompt": "x", "workflow_type": 5}, "workflow_type", {"type": "string"}, 5),
        ({"prompt": "x", "parameters": []}, "parameters", {"type": "object"}, "(a list)"),
        (
            {"prompt": "x", "task_id": []},
            "task_id",
            {"type": ["string", "integer"], "maxLength": 512},
            "(a list)",
        ),
        (
            {"prompt": "x", "callback_url": "ftp://x/?s3cr3t"},
            "callback_url",
            {"type": "string", "format": "uri", "maxLength": 4096},
            "ftp://x/",
        ),
        ({"prompt": "x", "callback_url": URL}, "callback_url", HOSTS, "https://evil.example/a.png"),
        ({"workflow_type": NAMES[1], "image_url": URL}, "image_url", HOSTS, "https://evil.example/a.png"),
        ({"workflow_type": NAMES[1], "image_url": "evil?s3cr3t"}, "image_url", HOSTS, UNREADABLE),
        ({"prompt": GRAPH}, "prompt", {"type": "string"}, "(an object)"),
        ({"prompt": '{"1": {"class_type": '}, "prompt", None, None),
    ],
)
def test_a_refusal_names_the_parameter_what_is_expected_and_what_was_sent(
    body: dict[str, Any],
    parameter: str,
    expected: dict[str, Any] | None,
    sent: Any,  # noqa: ANN401 - any JSON
) -> None:
    rules = [HostRule(host="cdn.example")]
    config = CONFIG.model_copy(update={"image_hosts": rules, "callback_hosts": rules})
    with pytest.raises(RefusedTask) as caught:
        validate(body, config, Catalog((SIZED, PHOTO)))
    found = caught.value
    assert (found.parameter, found.expected, found.sent) == (parameter, expected, sent)
    assert "s3cr3t" not in f"{found.message}{found.sent}"


def test_a_pool_without_a_fallback_names_its_workflows() -> None:
    with pytest.raises(InvalidTask) as caught:
        validate({"prompt": "x"}, CONFIG, Catalog((PHOTO,)))
    assert (caught.value.parameter, caught.value.expected) == ("workflow_type", {"enum": [PHOTO.entry.name]})
