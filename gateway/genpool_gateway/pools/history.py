"""A pool over time: even steps up to now, in which a gap is None. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_gateway.pools.samples import Figures, Flow, moment_of

#: Lengths of a step in seconds. A plot is some hundred pixels wide.
_STEPS = (timing.POOL_SAMPLE_SECONDS, 300, timing.POOL_SAMPLE_COARSE_SECONDS, 3600)
_POINTS = 180
MOST_HOURS = timing.POOL_SAMPLE_KEEP_SECONDS // 3600


@dataclass(frozen=True)
class Window:
    """Some hours up to now; its last step is not over."""

    since: datetime
    step: timedelta
    count: int
    now: datetime

    @property
    def times(self) -> list[datetime]:
        """Beginnings of the steps."""
        return [self.since + self.step * number for number in range(self.count)]

    @property
    def until(self) -> datetime:
        """End of the last step."""
        return self.since + self.step * self.count

    @property
    def moments(self) -> list[datetime]:
        """Times at which there may be samples."""
        fine_from = self.now - timedelta(seconds=timing.POOL_SAMPLE_FINE_SECONDS)
        fine = timedelta(seconds=timing.POOL_SAMPLE_SECONDS)
        number = (self.until - self.since) // fine
        found = (self.since + fine * count for count in range(number))
        return [
            at for at in found if at >= fine_from or at == moment_of(at, timing.POOL_SAMPLE_COARSE_SECONDS)
        ]


@dataclass(frozen=True)
class HistoryStep:
    """One step. ``flow``: None where it is not known what came, or where the step is not over."""

    time: datetime
    samples: int
    figures: Mapping[str, float | None]
    """Means of the samples in which a figure is known, by its name in :class:`Figures`."""
    flow: Flow | None


def window_of(hours: int, now: datetime) -> Window:
    """The last hours in steps that a person can tell from each other."""
    seconds = next(step for step in _STEPS if hours * 3600 // step <= _POINTS)
    count = hours * 3600 // seconds
    last = moment_of(now, seconds)
    step = timedelta(seconds=seconds)
    return Window(last - step * (count - 1), step, count, now)


def steps_of(
    window: Window,
    samples: Mapping[datetime, Figures],
    flow: Mapping[datetime, Flow],
    known_from: datetime | None,
) -> list[HistoryStep]:
    """The steps of a window. ``known_from``: since when tasks of the pool are told; None: they never were."""
    inside: dict[datetime, list[Figures]] = {time: [] for time in window.times}
    for time, figures in samples.items():
        begin = window.since + (time - window.since) // window.step * window.step
        if begin in inside:
            inside[begin].append(figures)
    return [
        HistoryStep(time, len(found), _means(found), _flow_at(time, window, flow, known_from))
        for time, found in inside.items()
    ]


def _flow_at(
    time: datetime, window: Window, flow: Mapping[datetime, Flow], known_from: datetime | None
) -> Flow | None:
    end = time + window.step
    if end > window.now or known_from is None or end <= known_from:
        return None
    return flow.get(time, Flow())


def _means(found: Sequence[Figures]) -> Mapping[str, float | None]:
    return {field.name: _mean([getattr(each, field.name) for each in found]) for field in fields(Figures)}


def _mean(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 2) if known else None
