"""Whose headers are believed, and which travel."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core.messages import headers

OURS = {headers.RUN: 2, headers.REASON: "OutOfMemory", "trace": "abc"}


def test_the_names_never_change() -> None:
    """Programs of two releases read each other's messages, and people read dead letters by these names."""
    assert [
        headers.ATTEMPT,
        headers.RUN,
        headers.OWNER,
        headers.POOL,
        headers.REASON,
        headers.MESSAGE,
        headers.ATTEMPTS,
        headers.TASK_KEY,
        headers.ENDED_AT,
        headers.SCHEMA,
    ] == [
        "x-genpool-attempt",
        "x-genpool-run",
        "x-genpool-owner",
        "x-genpool-pool",
        "x-genpool-reason",
        "x-genpool-message",
        "x-genpool-attempts",
        "x-genpool-task-key",
        "x-genpool-ended-at",
        "x-genpool-schema",
    ]


@pytest.mark.parametrize(
    ("given", "believed", "ours"),
    [
        (OURS, True, {headers.RUN: 2, headers.REASON: "OutOfMemory"}),
        (OURS, False, {}),
        (None, True, {}),
        ({}, True, {}),
        ({headers.RUN: True, headers.ATTEMPT: [1], headers.REASON: None}, True, {}),
        ({"X-GenPool-Run": 1}, True, {}),
    ],
)
def test_ours(given: dict[str, Any] | None, ours: dict[str, Any], *, believed: bool) -> None:
    assert headers.ours(given, believed=believed) == ours


@pytest.mark.parametrize(
    ("user_id", "believed"),
    [
        ("genpool.worker.uid.0a1b2c3d", {headers.OWNER, headers.RUN, headers.ATTEMPT, headers.PUT_OFF}),
        ("genpool.gateway.0a1b2c3d", {headers.OWNER, headers.RUN}),
        ("genpool.worker.another.0a1b2c3d", set()),
        ("genpool.gateway", set()),
        ("producer", set()),
        (None, set()),
    ],
)
def test_each_sender_is_believed_what_it_has_to_say(user_id: str | None, believed: set[str]) -> None:
    given = {headers.OWNER: "k1", headers.RUN: 2, headers.ATTEMPT: 1, headers.PUT_OFF: 1, "trace": "abc"}
    assert headers.of_task(given, user_id, "uid").keys() == believed


@pytest.mark.parametrize(("value", "text"), [("k1", "k1"), ("", None), (7, None), (None, None)])
def test_text(value: Any, text: str | None) -> None:  # noqa: ANN401 - what a header may hold
    given = {} if value is None else {headers.OWNER: value}
    assert headers.text(given, headers.OWNER) == text


def test_theirs_are_kept_and_the_brokers_are_not() -> None:
    given = {
        "trace": "abc",
        "x-tenant": {"a": 1},
        "CC": ["copy"],
        "BCC": ["copy"],
        "x-death": [{}],
        "x-first-death-queue": "q",
        "x-last-death-reason": "expired",
        "x-delivery-count": 3,
        "x-acquired-count": 4,
        headers.RUN: 7,
    }
    assert headers.theirs(given) == {"trace": "abc", "x-tenant": {"a": 1}}
    assert headers.theirs(None) == {}


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1), (20, 20), (0, None), (-1, None), ("2", None), (None, None)]
)
def test_number(value: Any, number: int | None) -> None:  # noqa: ANN401 - what a header may hold
    given = {} if value is None else {headers.ATTEMPT: value}
    assert headers.number(given, headers.ATTEMPT) == number
