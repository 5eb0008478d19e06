"""Values of tasks against the parameters of a workflow."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.canonical import canonical_json
from genpool_core.errors import InvalidTask
from genpool_core.workflow.bind import DEFAULT_SEED, bind
from genpool_core.workflow.schema import ParameterSchema, check_value
from genpool_core.workflow.spec import WorkflowYaml, parse_workflow_yaml

TARGETS = [{"node": "1", "input": "x"}]


def workflow(**parameters: dict[str, Any]) -> WorkflowYaml:
    """A workflow with these parameters; what is no field of a parameter is a keyword of its schema."""
    fields = ("required", "file")
    data: dict[str, Any] = {
        name: {
            "schema": {key: value for key, value in keywords.items() if key not in fields},
            "targets": TARGETS,
            **{key: keywords[key] for key in fields if key in keywords},
        }
        for name, keywords in parameters.items()
    }
    return parse_workflow_yaml({"description": "d", "parameters": data}, where="test")


SIZE = {"type": "integer", "minimum": 400, "maximum": 960, "default": 680}
WIDTH = {"type": "integer", "minimum": 64, "multipleOf": 8}
STRENGTH = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "enum": [1, 2, 4]}
MODE = {"type": "string", "enum": ["fast", "good"]}
SEED = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
TEXT = {"type": "string", "minLength": 1, "maxLength": 10}
FLAG = {"type": "boolean"}
FREE = {"type": "number"}
CODE = {"type": "string", "pattern": "^[a-z]+$"}
MOST = {"type": "integer", "maximum": 5}
ONE = {"type": "integer", "minimum": 5, "maximum": 5}


@pytest.mark.parametrize(
    ("schema", "raw", "value"),
    [
        (SIZE, 400, 400),
        (SIZE, 960, 960),
        (SIZE, "680", 680),
        (SIZE, " 680 ", 680),
        (SIZE, 680.0, 680),
        (SIZE, "680.0", 680),
        (WIDTH, 512, 512),
        (STRENGTH, 0, 0.0),
        (STRENGTH, 1, 1.0),
        (STRENGTH, "0.5", 0.5),
        (COUNT, 2, 2),
        (COUNT, "4", 4),
        (COUNT, 4.0, 4),
        (MODE, "good", "good"),
        (SEED, 2**64 - 1, 2**64 - 1),
        (SEED, str(2**64 - 1), 2**64 - 1),
        (TEXT, "日落日落日落日落日落", "日落日落日落日落日落"),
        (TEXT, "{{7*7}}", "{{7*7}}"),
        (FLAG, True, True),
        (FLAG, "false", False),
        (CODE, "abc", "abc"),
        (MOST, -5, -5),
        (ONE, 5, 5),
    ],
)
def test_accepted(schema: dict[str, Any], raw: Any, value: Any) -> None:  # noqa: ANN401 - any JSON
    got = bind(workflow(p=schema), {"p": raw}, frozenset({"p"})).values["p"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("schema", "raw", "end"),
    [
        (SIZE, 399, "Send a whole number of at least 400 and of at most 960."),
        (SIZE, 961, "Send a whole number of at least 400 and of at most 960."),
        (SIZE, 680.5, "Send a whole number of at least 400 and of at most 960."),
        (SIZE, "large", "Send a whole number of at least 400 and of at most 960."),
        (SIZE, "", "Send a whole number of at least 400 and of at most 960."),
        (SIZE, [680], "Send a whole number of at least 400 and of at most 960."),
        (SIZE, {"a": 1}, "Send a whole number of at least 400 and of at most 960."),
        (SIZE, True, "send a whole number of at least 400 and of at most 960."),
        (SIZE, 10**4000, "Send a whole number of at least 400 and of at most 960."),
        (WIDTH, 513, "Send a whole number of at least 64 and that is a multiple of 8."),
        (STRENGTH, 1.01, "Send a number of at least 0 and of at most 1."),
        (STRENGTH, "nan", "Send a number of at least 0 and of at most 1."),
        (STRENGTH, False, "send a number of at least 0 and of at most 1."),
        (FREE, "inf", "Send a number."),
        (FREE, "-Infinity", "Send a number."),
        (FREE, 10**4000, "Send a number."),
        (COUNT, 3, "Send one of 1, 2, 4."),
        (COUNT, True, "send one of 1, 2, 4."),
        (MODE, "slow", "Send one of fast, good."),
        (MODE, 1, "Send one of fast, good."),
        (SEED, -1, f"Send a whole number of at least 0 and of at most {2**64 - 1}."),
        (SEED, 2**64, f"Send a whole number of at least 0 and of at most {2**64 - 1}."),
        (
            TEXT,
            "",
            "Send text of at least so many characters: 1 and of at most so many characters: 10.",
        ),
        (TEXT, 7, "Send text of at least so many characters: 1 and of at most so many characters: 10."),
        (
            TEXT,
            "x" * 1_000_000,
            "Send text of at least so many characters: 1 and of at most so many characters: 10.",
        ),
        (
            TEXT,
            "\ud800",
            "Send text of at least so many characters: 1 and of at most so many characters: 10.",
        ),
        (FLAG, "perhaps", "Send true or false."),
        (MOST, 6, "Send a whole number of at most 5."),
        (ONE, 4, "Send a whole number of at least 5 and of at most 5."),
        (CODE, "a1", "Send text that fits the regular expression ^[a-z]+$."),
    ],
)
def test_refused(schema: dict[str, Any], raw: Any, end: str) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(InvalidTask) as caught:
        bind(workflow(p=schema), {"p": raw}, frozenset())
    message = caught.value.message
    assert message.startswith("p")
    assert message.endswith(end)
    assert len(message) < 400
    assert message.isascii()


def test_a_text_that_is_refused_is_not_repeated() -> None:
    """It may be anything: a prompt of a megabyte, or a secret in the wrong field."""
    with pytest.raises(InvalidTask) as caught:
        bind(workflow(p=SIZE), {"p": "s3cret"}, frozenset())
    assert "s3cret" not in caught.value.message


def test_defaults_and_what_is_not_given() -> None:
    both = workflow(size=SIZE, note={"type": "string"})
    assert dict(bind(both, {}, frozenset()).values) == {"size": 680}
    assert dict(bind(both, {"size": None, "note": None}, frozenset({"size"})).values) == {"size": 680}


def test_the_seed_of_a_task_that_gives_none() -> None:
    assert bind(workflow(seed=SEED), {}, frozenset()).seed == DEFAULT_SEED == 42
    assert bind(workflow(seed={**SEED, "default": 7}), {}, frozenset()).seed == 7
    assert bind(workflow(seed=SEED), {"seed": 0}, frozenset()).seed == 0
    assert bind(workflow(size=SIZE), {"seed": 1}, frozenset()).seed is None


def test_what_is_required() -> None:
    needs = workflow(prompt={"type": "string", "required": True})
    nothing: list[dict[str, Any]] = [{}, {"prompt": None}]
    for values in nothing:
        with pytest.raises(InvalidTask) as caught:
            bind(needs, values, frozenset())
        assert caught.value.message == "prompt is missing: this workflow needs it."


def test_names_that_the_workflow_does_not_have() -> None:
    sized = workflow(size=SIZE, model=MODE)
    assert dict(bind(sized, {"size": 400, "trace": "x", "batch": 3}, frozenset({"size"})).values) == {
        "size": 400
    }
    with pytest.raises(InvalidTask) as caught:
        bind(sized, {"Size": 400, "batch": 3}, frozenset({"Size", "batch"}))
    assert caught.value.message == "parameter 'Size' is unknown to this workflow. It has: model, size."


def test_files_are_named() -> None:
    photos = workflow(image_url={"type": "string", "file": True}, mask_url={"type": "string", "file": True})
    assert bind(photos, {"image_url": "https://a.example/1.jpg"}, frozenset()).files == ("image_url",)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


TYPES: dict[str, Any] = {"string": str, "integer": int, "number": int | float, "boolean": bool}
NEAR = (
    st.integers(-2, 100)
    | st.floats(-0.1, 1.1)
    | st.booleans()
    | st.sampled_from(["", "true", "false", "nan", "1", "64"])
    | st.text("ab1", max_size=11)
)


def edges(keywords: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values at the bounds of a schema, as they are and as text; small ones where it has none."""
    bounds = [keywords[name] for name in ("minimum", "maximum") if name in keywords]
    values = [*keywords.get("enum", []), *(bound + step for bound in bounds for step in (-1, 0, 1))]
    return st.sampled_from([*values, *map(str, values)]) if values else NEAR


def fits(value: object, keywords: dict[str, Any]) -> bool:
    """Whether a value is what a schema describes: of its type, and within its bounds."""
    kind = keywords["type"]
    if not isinstance(value, TYPES[kind]) or isinstance(value, bool) != (kind == "boolean"):
        return False
    size, least, most = (
        (len(value), "minLength", "maxLength") if isinstance(value, str) else (value, "minimum", "maximum")
    )
    if "pattern" in keywords and not re.fullmatch(keywords["pattern"], str(value)):
        return False
    return (
        math.isfinite(size)
        and keywords.get(least, -math.inf) <= size <= keywords.get(most, math.inf)
        and ("multipleOf" not in keywords or size % keywords["multipleOf"] == 0)
        and ("enum" not in keywords or value in keywords["enum"])
    )


@pytest.mark.parametrize("keywords", [SIZE, WIDTH, STRENGTH, COUNT, MODE, SEED, TEXT, FLAG, FREE, CODE])
@given(data=st.data())
def test_any_value_is_refused_or_fits(keywords: dict[str, Any], data: st.DataObject) -> None:
    schema = ParameterSchema.model_validate(keywords)
    raw = data.draw(edges(keywords)) if data.draw(st.booleans()) else data.draw(NEAR | ANYTHING)
    try:
        value = check_value("p", raw, schema)
    except InvalidTask:
        assert not fits(raw, keywords)
    else:
        assert fits(value, keywords)
        assert check_value("p", value, schema) == value
        canonical_json(value)


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize("raw", ["1_000", "1e_3", "１２", "٣", "0x10", "0o7", "1 000", "", "1__0", True])
def test_what_only_some_language_reads_as_a_number_is_none(kind: str, raw: object) -> None:
    schema = ParameterSchema.model_validate({"type": kind})
    with pytest.raises(InvalidTask, match=r"[Ss]end a (whole )?number"):
        check_value("seed", raw, schema)


@pytest.mark.parametrize(("raw", "value"), [("1000", 1000), (" 5 ", 5), ("-5", -5), ("5.0", 5), (5.0, 5)])
def test_numbers_as_plain_producers_send_them_are_read(raw: object, value: int) -> None:
    assert check_value("seed", raw, ParameterSchema.model_validate({"type": "integer"})) == value
