"""When a task that waits is expected to start: from measured times alone, and null wherever one is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from genpool_gateway.tasks.expected_start import PoolLoad, expected_start, is_shared
from genpool_gateway.tasks.ports import EndedLately

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LOAD = PoolLoad(ready=2, busy=2)


def ended(*seconds: float | None, owned: bool = True) -> list[EndedLately]:
    return [EndedLately(owned, each) for each in seconds]


@pytest.mark.parametrize(
    ("position", "ready", "busy", "seconds", "wait"),
    [
        # A worker is free.
        (0, 1, 0, (60,), 0),
        (1, 3, 1, (60,), 0),
        # All work: the first of them is free after a share of the time that a task takes.
        (0, 1, 1, (60,), 60),
        (0, 2, 2, (60,), 30),
        (3, 2, 2, (60,), 120),
        # One is free, and somebody else takes it.
        (1, 2, 1, (60,), 30),
        # A figure that is read later than the other: no more work than there are.
        (0, 1, 2, (60,), 60),
        # What takes far longer than usual moves nothing.
        (0, 1, 1, (60, 61, 59, 3600, 60), 60),
        (0, 1, 1, (None, 40, None), 40),
        (1000, 1, 1, (7200,), 1001 * 7200),
    ],
)
def test_the_wait_is_what_was_measured(
    position: int, ready: int, busy: int, seconds: tuple[float | None, ...], wait: float
) -> None:
    found = expected_start(position, PoolLoad(ready, busy), ended(*seconds), NOW)
    assert found == NOW + timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("position", "load", "seconds"),
    [
        pytest.param(None, LOAD, (60,), id="its place is not known"),
        pytest.param(0, LOAD, (), id="nothing has ended"),
        pytest.param(0, LOAD, (None,), id="nothing that ended had begun"),
        pytest.param(0, None, (60,), id="the pool is gone, or what is known of it may be old"),
        pytest.param(0, replace(LOAD, ready=None), (60,), id="nobody has counted the pods"),
        pytest.param(0, replace(LOAD, busy=None), (60,), id="nobody knows who works"),
        pytest.param(0, PoolLoad(ready=0, busy=0), (60,), id="no pod is ready: its start was not measured"),
        pytest.param(10**6, LOAD, (10**9,), id="after the end of all calendars"),
    ],
)
def test_what_is_not_known_is_null(
    position: int | None, load: PoolLoad | None, seconds: tuple[float | None, ...]
) -> None:
    assert expected_start(position, load, ended(*seconds), NOW) is None


@pytest.mark.parametrize(
    ("intake", "lately", "shared"),
    [
        (None, [], False),
        (None, ended(1, 2), False),
        (None, [*ended(1, 2), *ended(3, owned=False)], True),
        ("photos", ended(1), True),
    ],
)
def test_a_queue_is_shared_with_what_the_gateway_did_not_accept(
    intake: str | None, lately: list[EndedLately], *, shared: bool
) -> None:
    assert is_shared(intake, lately) is shared
