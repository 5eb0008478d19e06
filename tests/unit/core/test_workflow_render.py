"""Where values go, and what is found when a workflow is read."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.errors import InvalidManifest
from genpool_core.workflow.bind import bind
from genpool_core.workflow.render import MARK_INPUT, check_targets, render, with_mark, with_prefix
from genpool_core.workflow.spec import WorkflowYaml, check_template, parse_workflow_yaml

TEMPLATE: dict[str, Any] = {
    "1": {"class_type": "Loader", "inputs": {"name": "a.safetensors"}, "_meta": {"title": "Load"}},
    "2": {"class_type": "Latent", "inputs": {"width": 512, "batch": 1}, "_meta": {"title": "Canvas"}},
    "3": {"class_type": "Latent", "inputs": {"width": ["9", 0]}, "_meta": {"title": "Canvas"}},
    "4": {"class_type": "Latent", "inputs": {"batch": 1}},
    "5": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
    "6": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": ["9", 0]}},
    "9": {"class_type": "Number", "inputs": {"value": 512}},
}


def parameter(schema: str, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields
    return {"schema": {"type": schema}, "targets": list(targets), **more}


def workflow(**parameters: Any) -> WorkflowYaml:  # noqa: ANN401 - as in the file
    return parse_workflow_yaml({"description": "d", "parameters": parameters}, where="test")


def rendered(parameters: dict[str, dict[str, Any]], **given_values: Any) -> dict[str, Any]:  # noqa: ANN401
    spec = workflow(**parameters)
    bound = bind(spec, given_values, frozenset(given_values))
    return render(TEMPLATE, spec, bound, uploads=dict.fromkeys(bound.files, "job/up.png"), prefix="job")


def inputs_that_changed(graph: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{node_id}.{name}": value
        for node_id, node in graph.items()
        for name, value in node["inputs"].items()
        if name != "filename_prefix" and value != TEMPLATE[node_id]["inputs"][name]
    }


WIDTH_CLASS = {"class": "Latent", "input": "width"}


@pytest.mark.parametrize(
    ("targets", "apply", "changed"),
    [
        ([{"node": "2", "input": "width"}], "first", {"2.width": 640}),
        ([{"node": 2, "input": "width"}], "first", {"2.width": 640}),
        ([WIDTH_CLASS], "first", {"2.width": 640, "3.width": 640}),
        ([{"title": "Canvas", "input": "width"}], "first", {"2.width": 640, "3.width": 640}),
        ([{"title": "Canvas", "input": "batch"}], "first", {"2.batch": 640}),
        ([{"class": "Absent", "input": "width"}, WIDTH_CLASS], "first", {"2.width": 640, "3.width": 640}),
        ([{"node": "4", "input": "width"}, {"node": "2", "input": "width"}], "first", {"2.width": 640}),
        ([{"node": "2", "input": "width"}, {"node": "9", "input": "value"}], "first", {"2.width": 640}),
        (
            [{"node": "2", "input": "width"}, {"node": "9", "input": "value"}],
            "all",
            {"2.width": 640, "9.value": 640},
        ),
        ([{"node": "77", "input": "x"}, {"node": "9", "input": "value"}], "all", {"9.value": 640}),
    ],
)
def test_places(targets: list[dict[str, Any]], apply: str, changed: dict[str, Any]) -> None:
    graph = rendered({"p": parameter("integer", *targets, apply=apply)}, p=640)
    assert inputs_that_changed(graph) == changed


@pytest.mark.parametrize(
    ("schema", "table", "value", "goes_in"),
    [
        ("string", {"good": "a.pth"}, "good", "a.pth"),
        ("string", {"good": "a.pth"}, "b.pth", "b.pth"),
        ("string", {"good": 7}, "good", 7),
        ("integer", {"1": "one"}, 1, "one"),
        ("integer", {1: "one"}, 1, "one"),
        ("number", {"1": "one"}, 1, "one"),
        ("number", {0.5: "half"}, 0.5, "half"),
        ("boolean", {True: "enable", False: "disable"}, True, "enable"),
        ("boolean", {"true": "enable", "false": "disable"}, False, "disable"),
    ],
)
def test_table_of_values(schema: str, table: dict[Any, Any], value: Any, goes_in: Any) -> None:  # noqa: ANN401
    target = {"node": "1", "input": "name", "values": table}
    assert rendered({"p": parameter(schema, target)}, p=value)["1"]["inputs"]["name"] == goes_in


@pytest.mark.parametrize(
    ("value", "step", "goes_in"),
    [
        (680, 32, 672),
        (672, 32, 672),
        (687, 32, 672),
        (688, 32, 704),
        (689, 32, 704),
        (400, 32, 416),
        (1080, 32, 1088),
        (0, 32, 0),
        (15, 32, 0),
        (-17, 32, -32),
        (7, 1, 7),
        (2**64 - 1, 2, 2**64),
    ],
)
def test_rounding(value: int, step: int, goes_in: int) -> None:
    target = {"node": "2", "input": "width", "roundTo": step}
    got = rendered({"p": parameter("integer", target)}, p=value)["2"]["inputs"]["width"]
    assert (got, type(got)) == (goes_in, int)


def test_a_word_of_the_table_is_not_rounded() -> None:
    target = {"node": "2", "input": "width", "roundTo": 8, "values": {"0": "auto"}}
    assert rendered({"p": parameter("integer", target)}, p=0)["2"]["inputs"]["width"] == "auto"


def test_a_fraction_is_rounded_too() -> None:
    target = {"node": "2", "input": "width", "roundTo": 8}
    assert rendered({"p": parameter("number", target)}, p=99.9)["2"]["inputs"]["width"] == 96


def test_a_file_goes_in_by_the_name_of_its_upload() -> None:
    graph = rendered(
        {"image_url": parameter("string", {"node": "1", "input": "name"}, file=True)},
        image_url="https://a.example/1.png",
    )
    assert graph["1"]["inputs"]["name"] == "job/up.png"


def test_what_is_not_given_stays_as_it_was() -> None:
    assert inputs_that_changed(rendered({"p": parameter("integer", WIDTH_CLASS)})) == {}


def test_each_node_that_saves_has_a_prefix_of_its_own() -> None:
    graph: dict[str, Any] = with_prefix(TEMPLATE, "jobs/7")
    assert graph["5"]["inputs"]["filename_prefix"] == "jobs/7/5"
    assert graph["6"]["inputs"]["filename_prefix"] == "jobs/7/6", "whatever stands there, a link too"
    assert "filename_prefix" not in graph["1"]["inputs"]


@pytest.mark.parametrize(
    ("nodes", "marked"),
    [
        ({"5"}, {"5"}),
        ({"5", "6"}, {"5", "6"}),
        ({"5.0.3"}, {"5"}),
        ({"5", "99"}, set(TEMPLATE)),
    ],
)
def test_a_mark_for_nodes_that_must_run_again(nodes: set[str], marked: set[str]) -> None:
    graph: dict[str, Any] = with_mark(TEMPLATE, nodes, "a7")
    assert {node_id for node_id, node in graph.items() if node["inputs"].get(MARK_INPUT) == "a7"} == marked
    assert MARK_INPUT not in str(TEMPLATE)


@given(
    name=st.text(max_size=20),
    width=st.integers(64, 2048),
    prefix=st.text(max_size=20),
)
def test_the_template_is_never_changed(name: str, width: int, prefix: str) -> None:
    spec = workflow(
        name=parameter("string", {"class": "Loader", "input": "name"}),
        width=parameter("integer", {**WIDTH_CLASS, "roundTo": 8}, apply="all"),
    )
    before = copy.deepcopy(TEMPLATE)
    bound = bind(spec, {"name": name, "width": width}, frozenset())
    graph: dict[str, Any] = render(TEMPLATE, spec, bound, uploads={}, prefix=prefix)
    assert before == TEMPLATE
    assert graph == render(TEMPLATE, spec, bound, uploads={}, prefix=prefix)
    graph["2"]["inputs"]["width"] = "changed"
    assert before == TEMPLATE


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (
            {"node": "77", "input": "text"},
            "my.yaml: parameter p has no place in the template. Looked for: node '77' input 'text'.",
        ),
        (
            {"node": "1", "input": "text"},
            "my.yaml: parameter p has no place in the template. Looked for: node '1' input 'text'.",
        ),
        (
            {"class": "KSampler", "input": "seed"},
            "my.yaml: parameter p has no place in the template. Looked for: class 'KSampler' input 'seed'.",
        ),
        (
            {"title": "Canvas 2", "input": "width"},
            "my.yaml: parameter p has no place in the template. Looked for: title 'Canvas 2' input 'width'.",
        ),
    ],
)
def test_a_parameter_without_a_place(target: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidManifest) as caught:
        check_targets(TEMPLATE, workflow(p=parameter("string", target)), where="my.yaml")
    assert caught.value.message == sentence
    assert caught.value.reason == "InvalidWorkflow"


GOOD_TARGET = {"node": "1", "input": "x"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"schema": {"type": "text"}}, "parameters.p.schema.type: Input should be 'string', 'integer'"),
        ({"schema": {"type": "string", "format": "uri"}}, "parameters.p.schema.format: Extra inputs"),
        ({"schema": None}, "parameters.p.schema: "),
        (
            {"schema": {"type": "integer", "minimum": 3, "default": 2}},
            "parameters.p.schema: default (2): Input should be greater than or equal to 3.",
        ),
        (
            {"schema": {"type": "integer", "default": "many"}},
            "parameters.p.schema: default: Input should be a valid integer",
        ),
        (
            {"schema": {"type": "string", "enum": ["a"], "default": "b"}},
            "parameters.p.schema: default: not one of the allowed values. Send one of a.",
        ),
        ({"schema": {"type": "integer", "enum": [1, "x"]}}, "parameters.p.schema: enum: Input should be"),
        ({"schema": {"type": "string", "enum": []}}, "parameters.p.schema.enum: "),
        (
            {"schema": {"type": "integer", "minimum": 5, "maximum": 4}},
            "parameters.p.schema: no value can be at least 5 and at most 4",
        ),
        (
            {"schema": {"type": "string", "pattern": "(?=a)"}},
            "parameters.p.schema: pattern is not a usable regular expression: error: look-around",
        ),
        ({"schema": {"type": "integer", "multipleOf": 0}}, "parameters.p.schema.multipleOf: "),
        ({"targets": []}, "parameters.p.targets: "),
        ({"targets": [{"input": "x"}]}, "parameters.p.targets.0: a target names exactly one of"),
        (
            {"targets": [{"node": "1", "class": "A", "input": "x"}]},
            "parameters.p.targets.0: a target names exactly one of node, class and title",
        ),
        ({"targets": [{"node": "1"}]}, "parameters.p.targets.0.input: "),
        (
            {"targets": [{**GOOD_TARGET, "roundTo": 8}]},
            "parameters.p: roundTo is for a parameter of the type integer or number",
        ),
        (
            {"schema": {"type": "integer"}, "file": True},
            "parameters.p: a file is given as a URL: its schema has the type string",
        ),
        ({"aply": "all"}, "parameters.p.aply: Extra inputs"),
    ],
)
def test_a_workflow_yaml_that_cannot_work(change: dict[str, Any], sentence: str) -> None:
    data: dict[str, Any] = {"p": {"schema": {"type": "string"}, "targets": [GOOD_TARGET], **change}}
    with pytest.raises(InvalidManifest) as caught:
        parse_workflow_yaml({"description": "d", "parameters": data}, where="my.yaml")
    assert caught.value.message.startswith(f"my.yaml: {sentence}")
    assert "\n" not in caught.value.message
    assert caught.value.reason == "InvalidWorkflow"


@pytest.mark.parametrize("data", [None, [], "text", {"parameters": {}}, {"description": "d"}])
def test_no_workflow_yaml(data: Any) -> None:  # noqa: ANN401 - whatever YAML holds
    with pytest.raises(InvalidManifest, match=r"^my\.yaml: "):
        parse_workflow_yaml(data, where="my.yaml")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "my.json: not a ComfyUI workflow: a JSON object of nodes is expected."),
        ([], "my.json: not a ComfyUI workflow: a JSON object of nodes is expected."),
        (None, "my.json: not a ComfyUI workflow: a JSON object of nodes is expected."),
        (
            {"nodes": [], "links": []},
            "my.json: this is the format of ComfyUI's editor. Export it with Export (API) and use that.",
        ),
        (
            {"3": {"class_type": "A"}},
            "my.json: node '3' has no class_type and inputs: export it again with Export (API).",
        ),
        (
            {"3": {"class_type": "A", "inputs": []}},
            "my.json: node '3' has no class_type and inputs: export it again with Export (API).",
        ),
        (
            {"3": "A"},
            "my.json: node '3' has no class_type and inputs: export it again with Export (API).",
        ),
    ],
)
def test_no_template(data: Any, sentence: str) -> None:  # noqa: ANN401 - whatever JSON holds
    with pytest.raises(InvalidManifest) as caught:
        check_template(data, where="my.json")
    assert caught.value.message == sentence


def test_a_template_is_returned_as_it_is() -> None:
    assert check_template(json.loads(json.dumps(TEMPLATE)), where="x") == TEMPLATE
