"""A pool over time: samples of what is known, even steps, and gaps where nothing is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genpool_core.api.status import GenerationPoolStatus
from genpool_gateway.pools.history import steps_of, window_of
from genpool_gateway.pools.over_time import PoolsOverTime
from genpool_gateway.pools.samples import NOTHING, Figures, Flow, figures_of, moment_of

NOW = datetime(2026, 3, 1, 12, 7, 31, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def status(*, seconds: float | None = 5, **changes: Any) -> GenerationPoolStatus:  # noqa: ANN401 - of the status
    """As the operator wrote it so many seconds ago."""
    queue: dict[str, Any] = {"waiting": 4, "running": 2}
    if seconds is not None:
        queue["observedAt"] = NOW - timedelta(seconds=seconds)
    told = {"replicas": 3, "readyReplicas": 2, "busyReplicas": 1, "scaling": {"desired": 5}, "queue": queue}
    return GenerationPoolStatus.model_validate({**told, **changes})


ALL = Figures(4, 2, 3, 2, 1, 5)


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (status(), ALL),
        (status(seconds=600), ALL),
        (status(seconds=661), NOTHING),  # The operator is away.
        (status(seconds=None), NOTHING),
        (GenerationPoolStatus(), NOTHING),
        # The operator is there, and could not read the broker.
        (status(queue={"observedAt": NOW - timedelta(hours=2)}), Figures(None, None, 3, 2, 1, 5)),
        (status(queue={"observedAt": NOW, "running": 0}), Figures(None, 0, 3, 2, 1, 5)),
        (status(scaling={}), Figures(4, 2, 3, 2, 1, None)),
    ],
)
def test_a_sample_says_what_is_known_of_now(told: GenerationPoolStatus, known: Figures) -> None:
    assert figures_of(told, NOW) == known


@pytest.mark.parametrize(
    ("hours", "seconds", "count"),
    [
        (1, 60, 60),
        (3, 60, 180),
        (4, 300, 48),
        (15, 300, 180),
        (24, 900, 96),
        (45, 900, 180),
        (168, 3600, 168),
    ],
)
def test_steps_are_even_and_end_with_the_one_of_now(hours: int, seconds: int, count: int) -> None:
    window = window_of(hours, NOW)
    assert (window.step.total_seconds(), window.count) == (seconds, count)
    assert window.times[-1] <= NOW < window.until
    assert window.times[0] == moment_of(window.times[0], seconds)


def test_samples_older_than_a_day_are_asked_for_by_the_quarter() -> None:
    moments = window_of(168, NOW).moments
    day = NOW - timedelta(days=1)
    assert {at.minute for at in moments if at < day} == {0, 15, 30, 45}
    assert len([at for at in moments if day <= at <= NOW]) == 24 * 60
    assert len(moments) < 2 * 1100


def test_a_step_has_the_mean_of_its_samples_and_a_gap_is_none() -> None:
    window = window_of(4, NOW)
    samples = {
        NOON: Figures(waiting=1, pods=2),
        NOON + MINUTE: Figures(waiting=2),
        NOON + 5 * MINUTE: Figures(pods=0),
        NOON - timedelta(hours=9): Figures(waiting=99),
    }
    before, first, last = steps_of(window, samples, {}, None)[-3:]
    assert (before.samples, before.figures["waiting"], before.figures["pods"]) == (0, None, None)
    assert (first.samples, first.figures["waiting"], first.figures["pods"]) == (2, 1.5, 2.0)
    assert (last.samples, last.figures["waiting"], last.figures["pods"]) == (1, None, 0.0)
    assert {each.flow for each in (before, first, last)} == {None}


@pytest.mark.parametrize(
    ("known_from", "flows"),
    [
        (None, [None, None, None]),
        (NOON - timedelta(days=1), [Flow(), Flow(arrivals=7), None]),  # The last step is not over.
        (NOON, [None, Flow(arrivals=7), None]),
        (NOON + MINUTE, [None, Flow(arrivals=7), None]),
        (NOW, [None, None, None]),
    ],
)
def test_nothing_came_only_where_it_would_have_been_seen(
    known_from: datetime | None, flows: list[Flow | None]
) -> None:
    steps = steps_of(window_of(4, NOW), {}, {NOON: Flow(arrivals=7)}, known_from)
    assert [step.flow for step in steps[-3:]] == flows


@pytest.mark.parametrize(
    ("seen", "flow", "keep_days", "first"),
    [
        ([], {}, 90, None),  # Nobody knows of the pool.
        ([NOON - timedelta(minutes=40)], {}, 90, NOON - timedelta(minutes=40)),
        # A ledger that was read has tasks of the time before.
        ([NOON], {NOON - timedelta(minutes=90): Flow(arrivals=1)}, 90, NOON - timedelta(minutes=90)),
        # What is older was forgotten.
        ([NOON - timedelta(days=9)], {}, 1 / 24, NOW - timedelta(hours=1)),
        ([NOON - timedelta(days=9)], {}, 90, NOW - timedelta(hours=4)),
    ],
)
def test_arrivals_are_told_since_the_pool_is_known(
    seen: list[datetime], flow: dict[datetime, Flow], keep_days: float, first: datetime | None
) -> None:
    store = SimpleNamespace(samples=lambda *_: {}, flow=lambda *_, **__: flow)
    places = SimpleNamespace(of_pool=lambda _: [SimpleNamespace(first_seen=time) for time in seen])
    read = PoolsOverTime(cast("Any", store), cast("Any", places), lambda: NOW, keep_days * 86_400)
    window, steps = read.read("uid-1", 4)
    known = [step.time for step in steps if step.flow is not None]
    assert known == ([] if first is None else [at for at in window.times[:-1] if at + window.step > first])
