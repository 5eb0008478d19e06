"""What an answer repeats of what was sent."""

from __future__ import annotations

import time
from typing import Any

import pytest

from genpool_core.shown import kind_of, shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (-5.5, -5.5),
        (2**60, str(2**60)),
        pytest.param(10**5000, "(a very long number)", id="huge"),
        (float("inf"), "inf"),
        ({"a": 1}, "(an object)"),
        ([1], "(a list)"),
        ("a sunset", "a sunset"),
        ("gpk_" + "k" * 43, "gpk_…"),
        (f"https://a.example/gpk_{'k' * 43}", "https://a.example/gpk_…"),
        ("two\nlines", "two lines"),
        ("x" * 300, "x" * 199 + "…"),
        ("https://a.example/p.png?token=s3cr3t#f", "https://a.example/p.png"),
        ("see HTTPS://u:p@a.example/p?q=s3cr3t now", "see https://a.example/p now"),
        ("1https://a.example/?q=s3cr3t", "(a URL that cannot be read)"),
        ("data:image/png;base64,AAAA", "data:image/png…"),
    ],
)
def test_shown(value: Any, expected: Any) -> None:  # noqa: ANN401 - any JSON
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.example/p.png?token=s3cr3t", "(a URL that cannot be read)"),
        (" https://a.example/p.png?token=s3cr3t", "https://a.example/p.png"),
        (5, 5),
    ],
)
def test_meant_as_a_url(value: Any, expected: Any) -> None:  # noqa: ANN401 - any JSON
    assert shown(value, url=True) == expected


def test_a_long_text_costs_little() -> None:
    began = time.process_time()
    shown("a" * 1_000_000 + "://" + "b" * 1_000_000)
    shown(" a" * 1_000_000)
    assert time.process_time() - began < 2


def test_kinds() -> None:
    assert [kind_of(value) for value in ({}, [], "", True, None, 1.5)] == [
        "an object",
        "a list",
        "text",
        "a boolean",
        "null",
        "a number",
    ]
