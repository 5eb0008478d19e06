"""Templates and ``workflow.yaml`` as people write and save them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.errors import InvalidManifest
from genpool_core.strict_json import JsonFault, decode_text
from genpool_core.workflow.read import read_workflow
from genpool_core.workflow.yaml_file import read_workflow_yaml

TEMPLATE = '{"6": {"class_type": "Text", "inputs": {"text": ""}}}'
PARAMETERS = """
description: d
parameters:
  prompt:
    schema: {type: string}
    targets: [{node: '6', input: text}]
"""


def read(template: str = TEMPLATE, parameters: str = PARAMETERS) -> tuple[Any, Any]:
    return read_workflow("w", template, parameters)


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (
            '{"3": {"class_type": "A", "inputs": {}, "is_changed": [NaN]}}',
            "workflow w, template: node 3, is_changed.0, is not JSON: it has no NaN. Correct it, or export it again",
        ),
        (
            '{"3": {"class_type": "A", "inputs": {"cfg": -Infinity}}}',
            "workflow w, template: node 3, inputs.cfg, is not JSON: it has no -Infinity.",
        ),
        (
            '{"3": {"class_type": "A", "inputs": {"cfg": 1e999}}}',
            "workflow w, template: node 3, inputs.cfg, holds a number that is out of range.",
        ),
        (
            '{"3": {"class_type": "A", "inputs": {"text": "\\ud800"}}}',
            "workflow w, template: node 3, inputs.text, holds half of a surrogate pair.",
        ),
        (
            '{"3": {"class_type": "A", "inputs": {"\\udc00": 1}}}',
            "workflow w, template: node 3, inputs, holds half of a surrogate pair.",
        ),
        (
            '{"3": {"class_type": "A", "inputs": {"text": "a", "text": "b"}}}',
            "workflow w, template: node 3, inputs, gives the name 'text' twice.",
        ),
        (
            f'{{"3": {TEMPLATE}, "3": {TEMPLATE}}}',
            "workflow w, template: gives the name '3' twice.",
        ),
        (
            '{"3": {"class_type": "A", "inputs": {"x": ' + "[" * 70 + "]" * 70 + "}}}",
            "workflow w, template: node 3 is nested deeper than 64 levels.",
        ),
        ("[" * 100_000, "workflow w, template: nested deeper than 64 levels."),
        ('{"3": ' + "9" * 5000 + "}", "workflow w, template: holds a number with thousands of digits."),
        ("{", "workflow w, template: not JSON: "),
    ],
)
def test_a_template_that_comfyui_or_we_could_not_send(template: str, sentence: str) -> None:
    with pytest.raises(InvalidManifest) as caught:
        read(template)
    assert caught.value.message.startswith(sentence)
    assert caught.value.reason == "InvalidWorkflow"


@pytest.mark.parametrize(
    "raw",
    [
        TEMPLATE.encode(),
        b"\xef\xbb\xbf" + TEMPLATE.encode(),
        TEMPLATE.encode("utf-16"),
        TEMPLATE.encode("utf-16-le"),
        b"\xfe\xff" + TEMPLATE.encode("utf-16-be"),
        TEMPLATE.encode("utf-32"),
    ],
)
def test_how_editors_save_text(raw: bytes) -> None:
    assert read(decode_text(raw)) == read()
    assert read("\ufeff" + TEMPLATE, "\ufeff" + PARAMETERS) == read()


def test_a_file_in_another_encoding_is_told() -> None:
    with pytest.raises(JsonFault, match="no text in UTF-8 or UTF-16"):
        decode_text("描述: Größe".encode("gbk", "replace"))


def target(text: str, kind: str = "string") -> Any:  # noqa: ANN401 - YAML
    file = f"parameters:\n  p:\n    schema: {{type: {kind}}}\n    targets:\n    - {{{text}}}\n"
    value: Any = read_workflow_yaml(file)
    return value["parameters"]["p"]["targets"][0]


#: What YAML 1.1 reads as a number, a truth, a date or nothing.
WRITTEN = [
    *("57:27", "010", "0x1F", "0o17", "1_000", "1e3", "1.10", "0b11", "685_230.15", "+1", ".5", "1."),
    *(
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "true",
        "False",
        "2024-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "12:30:45",
        "=",
    ),
]


@pytest.mark.parametrize("text", WRITTEN)
def test_ids_titles_keys_and_texts_are_what_stands_there(text: str) -> None:
    for field in ("node", "class", "title", "input"):
        assert target(f"{field}: {text}") == {field: text}
    assert list(target(f"values: {{{text}: a}}")["values"]) == [text]
    file: Any = read_workflow_yaml(
        f"description: {text}\n"
        f"requires: {{models: [{text}]}}\n"
        f"parameters:\n  {text}:\n    schema: {{type: string, default: {text}, enum: [{text}], pattern: {text}}}\n"
    )
    assert file == {
        "description": text,
        "requires": {"models": [text]},
        "parameters": {
            text: {"schema": {"type": "string", "default": text, "enum": [text], "pattern": text}}
        },
    }


@pytest.mark.parametrize("text", ["null", "~", "NULL"])
def test_null_as_a_key_or_in_a_list_is_a_text_and_as_a_value_nothing(text: str) -> None:
    assert list(target(f"values: {{{text}: a}}")["values"]) == [text]
    assert target(f"title: {text}") == {"title": None}
    file: Any = read_workflow_yaml(
        f"parameters: {{p: {{schema: {{type: string, default: {text}, enum: [{text}]}}}}}}"
    )
    assert file["parameters"]["p"]["schema"] == {"type": "string", "default": None, "enum": [text]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-7", -7),
        ("true", True),
        ("yes", "yes"),
        ("1_000", "1_000"),
        ("57:27", "57:27"),
        ("2024-01-01", "2024-01-01"),
        ("'7'", "7"),
        ("~", None),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    file: Any = read_workflow_yaml(
        f"parameters: {{p: {{schema: {{type: integer, default: {text}, enum: [{text}]}}}}}}"
    )
    schema = file["parameters"]["p"]["schema"]
    assert (schema["default"], schema["enum"]) == (value, [value])
    assert type(schema["default"]) is type(value)
    assert target(f"values: {{a: {text}}}")["values"] == {"a": value}


@pytest.mark.parametrize(("key", "given"), [("1e3", "1000"), ("010", "10"), ("0x1F", "31"), ("1.5", "1.5")])
def test_a_key_of_values_is_a_value_of_the_parameter(key: str, given: str) -> None:
    assert list(target(f"values: {{{key}: a}}", "number")["values"]) == [given]
    assert list(target("values: {True: a}", "boolean")["values"]) == ["true"]


def test_anchors_and_merges() -> None:
    file: Any = read_workflow_yaml(
        "parameters:\n"
        "  a: &a {schema: {type: string}, targets: [&t {node: 57:27, input: x}]}\n"
        "  b: {<<: *a, required: true, targets: [{<<: *t, input: on}]}\n"
    )
    assert file["parameters"]["b"] == {
        "schema": {"type": "string"},
        "required": True,
        "targets": [{"node": "57:27", "input": "on"}],
    }


def test_an_emoji_as_json_escapes_it() -> None:
    assert target('title: "\\ud83d\\ude00"') == {"title": "😀"}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "workflow w, workflow.yaml: not YAML"),
        ("a: 1\na: 2", "workflow w, workflow.yaml: gives the name 'a' twice (line 2)."),
        (
            "parameters: {p: {targets: [{node: 1, node: 2}]}}",
            "workflow w, workflow.yaml: gives the name 'node' twice",
        ),
        ("a: .nan", "workflow w, workflow.yaml: a holds a number that is out of range."),
        ('a: "\\ud800"', "workflow w, workflow.yaml: a holds half of a surrogate pair."),
        ("a: &a [*a]", "workflow w, workflow.yaml: nested without an end."),
        (BOMB, "workflow w, workflow.yaml: holds more than 50,000 values"),
        ("a: !!python/name:os.system x", "workflow w, workflow.yaml: has the tag"),
        ("a: !!int x", "workflow w, workflow.yaml: has 'x' where it says !!int (line 1)."),
        (
            "? [a]\n: b",
            "workflow w, workflow.yaml: has a list or a mapping where a name must stand (line 1).",
        ),
        ("a: 1\n---\nb: 2", "workflow w, workflow.yaml: not YAML"),
        ("", "workflow w, workflow.yaml: "),
        ("a: \x00", "workflow w, workflow.yaml: not YAML"),
        ("[" * 5000, "workflow w, workflow.yaml: "),
    ],
)
def test_a_workflow_yaml_that_cannot_be_read(text: str, sentence: str) -> None:
    with pytest.raises(InvalidManifest) as caught:
        read(parameters=text)
    assert caught.value.message.startswith(sentence)
    assert caught.value.reason == "InvalidWorkflow"


#: A key of YAML ends within 1024 characters, and JSON writes some characters with twelve.
KEYS = st.text(max_size=80)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    )
)
def test_quoted_and_json_are_read_as_they_are(value: object) -> None:
    assert read_workflow_yaml(json.dumps({"x": value})) == {"x": value}


@given(text=st.text(alphabet="0123456789abcdefxo_.:+-eEyYnNtTrRuUsSfFlL~<>=!&*", min_size=1, max_size=8))
def test_any_plain_scalar_as_an_id_is_what_stands_there(text: str) -> None:
    """Where YAML takes it for a plain scalar at all."""
    try:
        node = yaml.compose(f"[{{node: {text}}}]").value[0].value[0][1]
    except yaml.YAMLError:
        return
    if (
        not isinstance(node, yaml.ScalarNode)
        or node.value != text
        or node.style
        or node.tag.endswith(":null")
    ):
        return
    assert target(f"node: {text}") == {"node": text}


_PROMPT = {"class_type": "T", "inputs": {"text": ""}, "_meta": {"title": "Prompt"}}
TWO = json.dumps({"6": _PROMPT, "7": _PROMPT})


@pytest.mark.parametrize(
    ("way", "apply", "told"),
    [
        ("title: Prompt", "first", True),
        ("title: Prompt", "all", False),
        ("class: T", "first", False),
        ("node: 6", "first", False),
    ],
)
def test_two_nodes_behind_one_title(way: str, apply: str, *, told: bool) -> None:
    parameters = PARAMETERS.replace("node: '6'", way) + f"    apply: {apply}\n"
    if not told:
        read(TWO, parameters)
        return
    with pytest.raises(
        InvalidManifest, match=r"parameter prompt goes to 2 nodes \(6, 7\) that have the title 'Prompt'"
    ):
        read(TWO, parameters)
