"""How tests are dealt out to processes."""

from __future__ import annotations

import pytest

from support.dealing import deal


@pytest.mark.parametrize(
    ("long", "files", "processes", "order"),
    [
        # In small letters those that compute.
        ("", ["AB", "CD", "ef", "gh"], 2, "ABef ghCD"),
        ("LM", ["AB", "CD", "ef", "gh"], 2, "LABef MghCD"),
        ("LMN", ["AB", "cd"], 2, "LNA MBcd"),
        ("LM", ["A"], 1, "LMA"),
        ("L", ["AB"], 5, "LAB"),
    ],
)
def test_long_ones_first_and_those_that_compute_beside_those_that_wait(
    long: str, files: list[str], processes: int, order: str
) -> None:
    dealt = deal(list(long), [list(file) for file in files], str.isupper, processes)
    assert "".join(dealt) == order.replace(" ", "")


@pytest.mark.parametrize("processes", range(1, 9))
@pytest.mark.parametrize("long", [0, 1, 5, 40])
def test_each_test_is_dealt_once(processes: int, long: int) -> None:
    tests = list(range(100))
    rest = tests[long:]
    files = [rest[start : start + 7] for start in range(0, len(rest), 7)]
    assert sorted(deal(tests[:long], files, lambda test: test < 60, processes)) == tests
