import dataclasses
import io

import pytest
from rich.console import Console

from genpool_dev.demo import table
from genpool_dev.demo.table import Sample

WORKING = Sample(
    pool="text",
    tasks=16,
    waiting=9,
    running=3,
    replicas=3,
    ready=3,
    busy=3,
    results=4,
    ends=4,
    dead=0,
    pods=3,
    why="12 tasks want 3 pods",
)
DONE = Sample(
    pool="photo",
    tasks=8,
    waiting=0,
    running=0,
    replicas=0,
    ready=0,
    busy=0,
    results=8,
    ends=8,
    dead=0,
    pods=0,
)


def test_row_has_a_cell_for_each_column() -> None:
    assert dict(zip(table.COLUMNS, table.row(WORKING), strict=True)) == {
        "pool": "text",
        "waiting": "9",
        "running": "3",
        "replicas": "3",
        "ready": "3",
        "busy": "3",
        "results": "4/16",
        "dead": "0",
        "why": "12 tasks want 3 pods",
    }


def test_unknown_is_a_question_mark_and_never_zero() -> None:
    cells = table.row(Sample(pool="text", tasks=16))
    assert cells == ("text", "?", "?", "?", "?", "?", "?/16", "?", "-")


def test_plain_line_says_the_same() -> None:
    assert table.plain(WORKING) == (
        "text  waiting 9  running 3  replicas 3  ready 3  busy 3  results 4/16  dead 0  | 12 tasks want 3 pods"
    )


def test_rendered_table_shows_every_pool_and_the_reason() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(table.render([WORKING, DONE], "now"))
    text = out.getvalue()
    assert "text" in text
    assert "photo" in text
    assert "12 tasks want 3 pods" in text


def test_only_changed_samples_are_told_again() -> None:
    before = {"text": WORKING, "photo": DONE}
    later = dataclasses.replace(WORKING, results=5, ends=5)
    assert table.changed(before, [later, DONE]) == [later]
    assert table.changed({}, [DONE]) == [DONE]


def test_done_when_every_pool_is() -> None:
    assert table.done([DONE, dataclasses.replace(DONE, pool="text")])
    assert not table.done([DONE, WORKING])


@pytest.mark.parametrize("field", ["waiting", "running", "replicas", "ends", "pods"])
@pytest.mark.parametrize("value", [None, 1])
def test_not_done_while_something_is_left_or_unknown(field: str, value: int | None) -> None:
    assert not table.done([dataclasses.replace(DONE, **{field: value})])


def test_a_dead_task_is_an_end_too() -> None:
    assert table.done([dataclasses.replace(DONE, results=7, dead=1)])


def test_the_scalers_words_are_no_progress() -> None:
    assert table.progress([WORKING]) == table.progress([dataclasses.replace(WORKING, why="other")])
    assert table.progress([WORKING]) != table.progress([dataclasses.replace(WORKING, ready=2)])
