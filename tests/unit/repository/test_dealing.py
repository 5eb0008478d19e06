"""How tests are dealt out to processes."""

from __future__ import annotations

import pytest

from support.dealing import deal


@pytest.mark.parametrize(
    ("long", "others", "processes", "hands"),
    [
        ("ABC", "abcdefghi", 4, ["ACa", "ghi", "Bbc", "def"]),
        ("AB", "abcdefg", 3, ["Aab", "efg", "Bcd"]),
        ("", "abcdefg", 3, ["ab", "fg", "cde"]),
        ("AB", "", 1, ["AB"]),
        ("", "abc", 5, ["", "", "a", "c", "b"]),
    ],
)
def test_long_ones_first_and_those_that_compute_beside_them(
    long: str, others: str, processes: int, hands: list[str]
) -> None:
    assert "".join(deal(long, others, processes)) == "".join(hands)


@pytest.mark.parametrize("processes", range(1, 9))
@pytest.mark.parametrize("long", [0, 1, 5, 40])
def test_each_test_is_dealt_once(processes: int, long: int) -> None:
    tests = list(range(100))
    assert sorted(deal(tests[:long], tests[long:], processes)) == tests
