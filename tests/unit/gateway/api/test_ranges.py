"""Which part of a file a header asks for."""

from __future__ import annotations

import pytest

from genpool_gateway.api.ranges import NoSuchPart, is_known, part_of


@pytest.mark.parametrize(
    ("header", "size", "part"),
    [
        (None, 10, None),
        ("", 10, None),
        ("bytes=0-9", 10, range(10)),
        ("bytes=0-0", 10, range(1)),
        ("bytes=2-4", 10, range(2, 5)),
        ("bytes=9-", 10, range(9, 10)),
        ("bytes=0-", 10, range(10)),
        ("bytes=5-99", 10, range(5, 10)),
        ("bytes=-3", 10, range(7, 10)),
        ("bytes=-99", 10, range(10)),
        ("Bytes= 2-4 ", 10, range(2, 5)),
        # What is not done or not valid is the whole file, as the RFC allows.
        ("bytes=0-1,3-4", 10, None),
        ("bytes=4-2", 10, None),
        ("bytes=-", 10, None),
        ("bytes=a-b", 10, None),
        ("bytes=--3", 10, None),
        ("bytes=1-2-3", 10, None),
        ("bytes=٣-", 10, None),
        ("pages=1-2", 10, None),
        ("bytes=99999999999999999999-", 10, None),
    ],
)
def test_the_part(header: str | None, size: int, part: range | None) -> None:
    assert part_of(header, size) == part


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=0-", 0), ("bytes=-0", 5)]
)
def test_there_is_no_such_part(header: str, size: int) -> None:
    with pytest.raises(NoSuchPart):
        part_of(header, size)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b" , "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
        ('w/"a"', False),
    ],
)
def test_what_the_caller_has(header: str | None, *, known: bool) -> None:
    assert is_known(header, '"a"') is known
