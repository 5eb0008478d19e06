"""What the page's modules compute, by themselves: in the browser that runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from integration.gateway.page.visitor import visiting
from integration.gateway.page.world import World

Run = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def run(browser: Browser, world: World) -> Iterator[Run]:
    """The value of an expression over a module's exports."""
    with visiting(browser, world) as visitor:
        visitor.open()
        found = re.search(r"(/page/[0-9a-f]+/)js/main.js", visitor.page.content())
        assert found is not None
        yield lambda module, expression: visitor.page.evaluate(
            f"import('{found[1]}js/{module}.js').then((m) => ({expression}))"
        )


def test_integers_keep_their_digits(run: Run) -> None:
    assert run("json", 'm.stringify(m.parse(\'{"seed":18446744073709551615,"n":7,"x":0.5}\'))') == (
        '{"seed":18446744073709551615,"n":7,"x":0.5}'
    )


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer", "minimum": 64, "maximum": 2048, "multipleOf": 8}, "range"),
        ({"type": "integer", "minimum": 0, "maximum": 2**40}, "integer"),
        ({"type": "number", "minimum": 0}, "number"),
        ({"type": "string", "maxLength": 20000}, "long"),
        ({"type": "string", "maxLength": 100}, "text"),
        ({"type": "string", "enum": ["a", "b"]}, "choice"),
        ({"type": "boolean"}, "switch"),
        ({"type": ["string", "null"], "maxLength": 10}, "text"),
        ({"type": "array"}, "json"),
    ],
)
def test_a_field_is_as_its_schema_says(run: Run, schema: dict[str, Any], kind: str) -> None:
    workflow = f"{{files: [], parameters: {{required: [], properties: {{x: {_js(schema)}}}}}}}"
    assert run("form", f"m.fieldsOf({workflow})[0].kind") == kind


def test_what_is_empty_and_need_not_be_there_is_left_out(run: Run) -> None:
    workflow = """{files: ["photo"], parameters: {required: ["prompt"], properties: {
        prompt: {type: "string", maxLength: 9000}, note: {type: "string", maxLength: 9, minLength: 1},
        steps: {type: "integer"}, scale: {type: "number"}, fast: {type: "boolean"},
        mode: {enum: [1, 2]}, photo: {type: "string"}}}}"""
    values = '{prompt: "a", note: "", steps: "7", scale: "0.5", fast: false, mode: "2", photo: ""}'
    assert run("form", f"m.parametersOf(m.fieldsOf({workflow}), {values})") == {
        "prompt": "a",
        "steps": 7,
        "scale": 0.5,
        "fast": False,
        "mode": 2,
    }


def test_a_random_seed_is_within_its_bounds(run: Run) -> None:
    schema = "{minimum: 5, maximum: 9}"
    assert run("form", f"[0, 0.5, 0.999999].map((r) => m.randomSeed({schema}, () => r))") == ["5", "7", "9"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a b.png", "a-b.png"),
        ("湖边.png", "png"),
        ("湖边 1.png", "1.png"),
        ("..", "photo"),
        ("é.jpg", "e-.jpg"),
        ("-x.png", "x.png"),
    ],
)
def test_an_upload_has_a_name_that_it_may_have(run: Run, name: str, safe: str) -> None:
    assert run("tasks", f"m.safeName({name!r})") == safe


def test_a_first_page_that_comes_again_keeps_what_is_older(run: Run) -> None:
    before = _listed("c", "b", "a", following="x")
    assert _ids(run, before, _page("d", "c", following="y")) == ["d", "c", "b", "a"]
    assert _ids(run, before, _page("e", "d", following="y")) == ["e", "d", "c", "b", "a"]
    assert _ids(run, before, _page("c", "b", following=None)) == ["c", "b"], "the rest is gone"


def _ids(run: Run, before: str, page: str) -> list[str]:
    return list(run("endless", f"m.renewed({before}, {page}).items.map((task) => task.id)"))


def _tasks(*names: str) -> str:
    return (
        "[" + ", ".join(f"{{id: '{name}', created_at: '2026-01-0{ord(name) - 96}'}}" for name in names) + "]"
    )


def _listed(*names: str, following: str | None) -> str:
    return f"{{items: {_tasks(*names)}, next: {_js(following)}, begun: true}}"


def _page(*names: str, following: str | None) -> str:
    return f"{{tasks: {_tasks(*names)}, next: {_js(following)}}}"


def test_attempts_are_read_from_the_stream(run: Run) -> None:
    stream = (
        'id: 1\\nevent: status\\ndata: {"type":"claimed","run":1,"attempt":1,"worker":"p-1","time":"t1"}\\n\\n'
        'id: 2\\nevent: log\\ndata: {"type":"retried","run":1,"attempt":1,"message":"no memory.","time":"t2"}\\n\\n'
        'id: 3\\nevent: status\\ndata: {"type":"claimed","run":1,"attempt":2,"worker":"p-2","time":"t3"}\\n\\n'
        ": still here\\n\\n"
    )
    found = run("parts/attempts", f"m.attemptsOf(m.eventsOf('{stream}'))")
    assert [(each["attempt"], each["pod"], each["ended"], each["how"]) for each in found] == [
        (1, "p-1", "t2", "no memory."),
        (2, "p-2", None, ""),
    ]


def _js(value: object) -> str:
    return json.dumps(value)


@pytest.mark.parametrize(
    ("values", "top"),
    [
        ([0], 1),
        ([1], 1),
        ([2], 2),
        ([3], 4),
        ([5.5], 6),
        ([9], 10),
        ([11], 20),
        ([27], 30),
        ([None], 1),
        ([301], 400),
    ],
)
def test_a_scale_has_all_values_and_a_round_middle(run: Run, values: list[float | None], top: int) -> None:
    assert run("plotshape", f"m.topOf([{_js(values)}], false)") == top


@pytest.mark.parametrize(
    ("seconds", "top"), [(0.4, 1), (31, 60), (61, 120), (5000, 7200), (200_000, 259_200)]
)
def test_a_scale_of_time_ends_with_a_time_that_people_say(run: Run, seconds: float, top: int) -> None:
    assert run("plotshape", f"m.topOf([[{seconds}]], true)") == top


def test_a_line_has_a_gap_where_nothing_is_known(run: Run) -> None:
    assert run("plotshape", "m.lineOf([null, 1, 2, null, 0, null], 2)") == "M1.5 50L2.5 0M4.5 100h0"
    assert run("plotshape", "m.areaOf([null, 1, 2, null, 0], 2)") == "M1.5 100L1.5 50L2.5 0L2.5 100Z"
    assert run("plotshape", "m.lineOf([null, null], 2)") == ""


def test_what_is_read_first_is_what_was_known_last(run: Run) -> None:
    assert run(
        "plotshape", "[m.latestOf([[1, null, null], [null, 2, null]]), m.latestOf([[null, null]])]"
    ) == [1, 1]


def test_labels_are_at_round_times(run: Run) -> None:
    times = "Array.from({length: 180}, (_, n) => new Date(2026, 2, 1, 9, 7 + n).toISOString())"
    assert run("plotshape", f"m.marksOf({times})") == [23, 53, 83, 113, 143, 173]
    days = "Array.from({length: 168}, (_, n) => new Date(2026, 0, 5, 5 + n).toISOString())"
    assert run("plotshape", f"m.marksOf({days})") == [19 + 24 * n for n in range(7)]


@pytest.mark.parametrize(
    ("key", "to"),
    [
        ("ArrowLeft", 9),
        ("ArrowRight", 11),
        ("Home", 0),
        ("End", 59),
        ("PageUp", 16),
        ("PageDown", 4),
        ("Tab", None),
    ],
)
def test_keys_lead_from_step_to_step(run: Run, key: str, to: int | None) -> None:
    assert run("parts/plot", f"m.moved({key!r}, 10, 60)") == to
    assert run("parts/plot", "[m.moved('ArrowLeft', 0, 60), m.moved('PageUp', 58, 60)]") == [0, 59]
