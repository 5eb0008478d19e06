"""What becomes of JSON that is not as it should be."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, InstanceOf, PlainValidator

from genpool_core.loose import Entries, Items, LooseArray, LooseModel


class Inner(LooseModel):
    name: str = "-"
    size: int = 1


class Pair(LooseArray):
    kind: str = "-"
    inner: Inner = Inner()


def _even(value: int) -> int:
    if value % 2:  # TypeError where it is no number
        raise ValueError("odd")
    return value


class Outer(LooseModel):
    text: str = "-"
    number: int = 7
    fraction: float = 0.5
    flag: bool = False
    count: Annotated[int, Field(ge=0)] | None = None
    even: Annotated[int, PlainValidator(_even)] = 0
    anything: object = None
    raw: InstanceOf[dict[str, Any]] = Field(default_factory=dict)
    inner: Inner = Inner()
    items: Items[Inner] = ()
    texts: Items[str] = ()
    entries: Entries[Inner] = Field(default_factory=dict)
    pairs: Items[Pair] = ()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("text", "a", "a"),
        ("text", "", ""),
        ("text", "\ud800", "\ud800"),
        ("text", None, "-"),
        ("text", 5, "-"),
        ("text", ["a"], "-"),
        ("number", 5, 5),
        ("number", 10**30, 10**30),
        ("number", None, 7),
        ("number", "5", 7),
        ("number", 5.0, 7),
        ("number", True, 7),
        ("fraction", 2, 2.0),
        ("fraction", True, 0.5),
        ("fraction", "2", 0.5),
        ("fraction", 10**400, 0.5),
        ("flag", True, True),
        ("flag", 1, False),
        ("flag", "true", False),
        ("count", 0, 0),
        ("count", -1, None),
        ("count", True, None),
        ("even", 4, 4),
        ("even", 3, 0),
        ("even", "4", 0),
        ("anything", None, None),
        ("anything", [1], [1]),
        ("raw", {"a": None}, {"a": None}),
        ("raw", [1], {}),
        ("inner", {"name": "a", "size": 2}, Inner(name="a", size=2)),
        ("inner", {"name": None, "size": 2, "new": 1}, Inner(size=2)),
        ("inner", None, Inner()),
        ("inner", "a", Inner()),
        ("inner", [], Inner()),
        ("items", [{"name": "a"}, None, "b", [], {"name": 5, "size": 2}], (Inner(name="a"), Inner(size=2))),
        ("items", {"name": "a"}, ()),
        ("items", "ab", ()),
        ("texts", ["a", 1, None, "b"], ("a", "b")),
        ("texts", "ab", ()),
        ("entries", {"a": {"size": 2}, "b": None, "c": {}}, {"a": Inner(size=2), "c": Inner()}),
        ("entries", [{"size": 2}], {}),
        (
            "pairs",
            [["a", {"size": 2}], ["b", None], ["c"], [], ["d", {}, "more"], "ef", None],
            (Pair(kind="a", inner=Inner(size=2)), Pair(kind="b"), Pair(kind="c"), Pair(), Pair(kind="d")),
        ),
    ],
)
def test_a_field_that_does_not_fit_gets_its_default_and_hides_nothing(
    field: str, value: object, expected: object
) -> None:
    read = Outer.read_object({"unknown": 1, field: value, "text" if field != "text" else "number": None})
    assert getattr(read, field) == expected
    assert type(getattr(read, field)) is type(expected)
    others = Outer.model_fields.keys() - {field}
    assert {name: getattr(read, name) for name in others} == {name: getattr(Outer(), name) for name in others}


@pytest.mark.parametrize("value", [None, [], "a", 5, {}])
def test_what_is_no_object_has_only_defaults(value: object) -> None:
    assert Outer.read_object(value) == Outer()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"name": "a"}, None, [], "b", {"name": 1}], [Inner(name="a"), Inner()]),
        ({"name": "a"}, []),
        (None, []),
        ("ab", []),
    ],
)
def test_an_odd_row_does_not_hide_the_others(value: object, expected: list[Inner]) -> None:
    assert Inner.read_list(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": {"size": 2}, "b": None, "c": [], "d": {"size": None}}, {"a": Inner(size=2), "d": Inner()}),
        ([{"size": 2}], {}),
        (None, {}),
    ],
)
def test_an_odd_entry_does_not_hide_the_others(value: object, expected: dict[str, Inner]) -> None:
    assert Inner.read_map(value) == expected


def test_what_was_read_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Inner.read_object({}).name = "b"


def test_defaults_are_not_shared() -> None:
    Outer.read_object({}).entries["a"] = Inner()
    assert Outer.read_object({"entries": 1}).entries == {}


def test_every_field_needs_a_default() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.name needs a default"):

        class Wrong(LooseModel):
            name: str


def test_a_strict_model_beside_it_stays_strict() -> None:
    class Strict(BaseModel):
        inner: Inner
        number: int

    with pytest.raises(ValueError, match="number"):
        Strict.model_validate({"inner": {"size": "x"}, "number": None})
    assert Strict.model_validate({"inner": {"size": "x"}, "number": 1}).inner == Inner()
