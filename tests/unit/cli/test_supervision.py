"""When programs are started again: tables."""

from __future__ import annotations

import pytest

from genpool_cli.local.supervision import Life, Program, ended, hangs, needed, to_start
from genpool_core import timing

FIRST, MOST, STEADY = (
    timing.LOCAL_RESTART_SECONDS,
    timing.LOCAL_RESTART_MOST_SECONDS,
    timing.LOCAL_STEADY_SECONDS,
)


@pytest.mark.parametrize(
    ("failures", "lived", "expected_failures", "wait"),
    [
        pytest.param(0, 0.1, 1, FIRST, id="the first end"),
        pytest.param(1, 0.1, 2, 2 * FIRST, id="the next one waits longer"),
        pytest.param(9, 0.1, 10, MOST, id="but never longer than this"),
        pytest.param(9, STEADY, 1, FIRST, id="one that ran for long begins anew"),
        pytest.param(0, STEADY, 1, FIRST, id="one that never failed, too"),
    ],
)
def test_a_program_that_ended(failures: int, lived: float, expected_failures: int, wait: float) -> None:
    now = 1000.0
    assert ended(Life(7, now - lived, failures), now) == Life(failures=expected_failures, due=now + wait)


def test_what_is_due_is_started_in_its_order() -> None:
    programs = [Program(name, ("x",)) for name in "abcd"]
    lives = {"a": Life(), "b": Life(5, 1.0), "c": Life(due=10.1), "d": Life(due=10.0)}
    assert [program.name for program in to_start(programs, lives, (), 10.0)] == ["a", "d"]


@pytest.mark.parametrize(
    ("file", "life", "marked", "expected"),
    [
        ("f", Life(5, 10.0), 11.0, True),
        ("f", Life(5, 10.0), 9.0, False),
        ("f", Life(5, 10.0), None, False),
        ("f", Life(), 11.0, False),
        ("", Life(5, 10.0), 11.0, False),
    ],
    ids=["said of this life", "said of the one before", "never said", "it does not run", "nobody can say"],
)
def test_a_program_that_hangs(file: str, life: Life, marked: float | None, *, expected: bool) -> None:
    assert hangs(Program("comfyui", ("x",), restart_file=file), life, marked) is expected


@pytest.mark.parametrize(
    ("life", "serving", "starts", "waits_for"),
    [
        pytest.param(Life(), (), False, ["a"], id="what it needs does not serve yet"),
        pytest.param(Life(), ("a",), True, ["a"], id="it serves"),
        pytest.param(Life(failures=1, due=5.0), (), True, [], id="it ran before: they find each other"),
        pytest.param(Life(7, 1.0), (), False, [], id="it runs"),
    ],
)
def test_a_program_that_needs_another(
    life: Life, serving: tuple[str, ...], waits_for: list[str], *, starts: bool
) -> None:
    programs = [Program("a", ("x",)), Program("b", ("x",), needs="a")]
    lives = {"a": Life(5, 1.0), "b": life}
    assert [each.name for each in to_start(programs, lives, serving, 10.0)] == ["b"] * starts
    assert [each.name for each in needed(programs, lives)] == waits_for
