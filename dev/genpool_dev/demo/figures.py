"""The figures of a demo, what they must be, and how they are written. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Figures:
    """What a demo ended with. Times are seconds; None where there was nothing to measure."""

    tasks: int
    results: int
    """Tasks that ended well."""
    dead: int
    """Messages in the dead-letter queues, or end records that say dead, whichever is more."""
    waiting: int | None
    """Messages left in the work queues, held or not; None where the broker did not tell."""
    peak_replicas: int
    """The most pods of all pools at one time."""
    final_replicas: int | None
    p50_s: float | None
    """Publish to result, half of the tasks were faster."""
    p95_s: float | None
    cold_s: float | None
    """From the first publish, with no pod there, to the first result."""
    retries: int
    """Attempts beyond each task's first."""
    callbacks: int
    """Deliveries that came to the receiver."""
    callback_ids: int
    """Different ids among them."""
    unverified: int
    """Deliveries whose signature was wrong."""


#: The figures of the last line, in this order.
LAST_LINE = (
    "tasks",
    "results",
    "dead",
    "waiting",
    "peak_replicas",
    "final_replicas",
    "p50_s",
    "p95_s",
    "cold_s",
)
MIN_PEAK = 2


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of all are not above (nearest rank); None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def waits(published: Mapping[str, datetime], ended: Mapping[str, datetime]) -> list[float]:
    """Seconds from publish to result of every task that has both times."""
    return [(ended[key] - published[key]).total_seconds() for key in published if key in ended]


def cold_start(published: Mapping[str, datetime], ended: Mapping[str, datetime]) -> float | None:
    """Seconds from the first publish of all to the first result of all."""
    if not published or not ended:
        return None
    return (min(ended.values()) - min(published.values())).total_seconds()


def last_line(figures: Figures, gateway: str, api_key_file: str) -> str:
    """The one JSON object that ends the demo's output; URL and key are good where the demo was left running."""
    told = {name: _short(getattr(figures, name)) for name in LAST_LINE}
    return json.dumps({**told, "gateway": gateway, "api_key_file": api_key_file})


def broken_promises(figures: Figures) -> list[str]:
    """What is not as the demo promises, a sentence each."""
    promises = [
        (figures.results == figures.tasks, f"{figures.results} results of {figures.tasks} tasks"),
        (figures.dead == 0, f"{figures.dead} dead letters, and there should be none"),
        (figures.waiting == 0, f"{_told(figures.waiting)} messages left in the work queues, not 0"),
        (
            figures.peak_replicas >= MIN_PEAK,
            f"at most {figures.peak_replicas} replicas at a time, and there should have been {MIN_PEAK} or more",
        ),
        (figures.final_replicas == 0, f"{_told(figures.final_replicas)} replicas at the end, not 0"),
        (
            figures.callback_ids == figures.tasks,
            f"callbacks with {figures.callback_ids} different ids for {figures.tasks} tasks",
        ),
        (figures.unverified == 0, f"{figures.unverified} callbacks with a wrong signature"),
    ]
    return [sentence for kept, sentence in promises if not kept]


def summary_rows(figures: Figures) -> list[tuple[str, str]]:
    """The summary for a person: what, and how much."""
    return [
        ("tasks in", str(figures.tasks)),
        ("results out", str(figures.results)),
        ("publish to result", f"p50 {_seconds(figures.p50_s)}, p95 {_seconds(figures.p95_s)}"),
        ("first result", f"{_seconds(figures.cold_s)} after the first publish, from zero pods"),
        ("replicas", f"0, at most {figures.peak_replicas}, {_told(figures.final_replicas)} at the end"),
        ("retries", str(figures.retries)),
        ("dead letters", str(figures.dead)),
        ("left in the queues", _told(figures.waiting)),
        ("callbacks", f"{figures.callbacks} deliveries of {figures.callback_ids} different ids, signed"),
    ]


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"


def _told(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def _short(value: float | None) -> float | None:
    return round(value, 1) if isinstance(value, float) else value
