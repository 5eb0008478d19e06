"""When a program that does not answer is started again: a table."""

from __future__ import annotations

import pytest

from genpool_cli.local.probing import Answers, is_silent
from genpool_cli.local.supervision import Life, Probe

PROBE = Probe("http://127.0.0.1:1/system_stats", 60, 10, 10, 3)
RUNS = Life(7, 100.0)


@pytest.mark.parametrize(
    ("life", "answers", "now", "expected"),
    [
        pytest.param(RUNS, Answers(7, answered=True, silences=3), 200.0, True, id="silent for long"),
        pytest.param(
            RUNS, Answers(7, answered=True, silences=2), 200.0, False, id="silent, and not for long"
        ),
        pytest.param(RUNS, Answers(7, answered=False, silences=5), 160.0, False, id="it starts"),
        pytest.param(RUNS, Answers(7, answered=False, silences=6), 160.1, True, id="it starts for too long"),
        pytest.param(RUNS, Answers(6, answered=True, silences=9), 101.0, False, id="of the life before"),
        pytest.param(RUNS, Answers(6, answered=True), 161.0, True, id="this life never answered"),
        pytest.param(Life(), Answers(7, answered=True, silences=9), 200.0, False, id="it does not run"),
    ],
)
def test_a_program_that_does_not_answer(life: Life, answers: Answers, now: float, *, expected: bool) -> None:
    assert is_silent(PROBE, life, answers, now) is expected


def test_answers_are_counted_for_one_life() -> None:
    first = Answers().then(7, answer=True)
    assert first == Answers(7, answered=True)
    silent = first.then(7, answer=False).then(7, answer=False)
    assert silent == Answers(7, answered=True, silences=2)
    assert silent.then(7, answer=True) == first
    assert silent.then(8, answer=False) == Answers(8, answered=False, silences=1)
