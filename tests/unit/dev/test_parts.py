"""Parts of a long run: which of them, and what is said of each and of all."""

from __future__ import annotations

import re

import pytest

from genpool_dev import parts
from genpool_dev.cluster.errors import ClusterError

PARTS = {"refused": 1, "demo": 2, "e2e": 3}


@pytest.mark.parametrize(("names", "expected"), [([], [1, 2, 3]), (["e2e", "demo"], [3, 2])])
def test_which(names: list[str], expected: list[int]) -> None:
    assert parts.chosen(PARTS, names, "test-x") == expected


def test_a_name_that_is_none_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ClusterError, match=r"No parts of test-x: nope\. There are refused, demo, e2e\."):
        parts.chosen(PARTS, ["demo", "nope"], "test-x")


def test_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    def asserts() -> list[str]:
        raise AssertionError("it ended with the code 1")

    def refused() -> list[str]:
        raise ClusterError("no engine.")

    acts = {"up": list, "demo": lambda: ["left: Role/a", "gone: Pod/b"], "e2e": asserts, "down": refused}
    assert parts.faults(acts, "test-x") == [
        "demo: left: Role/a",
        "demo: gone: Pod/b",
        "e2e: it ended with the code 1",
        "down: no engine.",
    ]
    assert parts.ended("test-x", [], "all is as it was", 61) == 0
    assert parts.ended("test-x", ["down: no engine."], "all is as it was", 61) == 1
    said = [re.sub(r", in [^,]*$", "", line) for line in capsys.readouterr().out.splitlines()]
    assert said == [
        "test-x: up: ok",
        "test-x: demo: FAILED: left: Role/a; gone: Pod/b",
        "test-x: e2e: FAILED: it ended with the code 1",
        "test-x: down: FAILED: no engine.",
        "test-x: ok, and all is as it was",
        "test-x: FAILED: down: no engine.",
    ]
