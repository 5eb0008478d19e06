"""Metrics for Prometheus: how the programs make, name and render them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

#: Bounds of histograms in seconds, by what is measured: a look at a pool, a request to a server that is not ours, a
#: part of a task.
RECONCILE_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
TASK_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
#: The wait for a GPU: from nothing to a day.
WAIT_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
#: https://prometheus.io/docs/practices/naming: the application first, the unit last, ``total`` for what is counted.
_NAMES = {
    "counter": re.compile(r"genpool_[a-z]+(_[a-z]+)*_total"),
    "gauge": re.compile(r"genpool_[a-z]+(_[a-z]+)*(?<!_total)"),
    "histogram": re.compile(r"genpool_[a-z]+(_[a-z]+)*_seconds"),
}


@dataclass(frozen=True)
class Family:
    """A metric with all its series, as Prometheus names it."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    labels: tuple[str, ...]
    text: str
    """What it counts or measures, for people."""

    def __str__(self) -> str:
        return f"{self.name}{{{','.join(self.labels)}}}" if self.labels else self.name


class Registry:
    """The metrics of one program. Its methods raise ValueError for a name that breaks the rule, or is taken."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._families: list[Family] = []

    @property
    def families(self) -> tuple[Family, ...]:
        """What was made, in order."""
        return tuple(self._families)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A number that only grows: ``genpool_…_total``."""
        self._note(Family("counter", name, labels, text))
        return Counter(name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """A number that is true now: ``genpool_…``."""
        self._note(Family("gauge", name, labels, text))
        return Gauge(name, text, labels, registry=self._registry)

    def histogram(self, name: str, text: str, *labels: str, buckets: Sequence[float]) -> Histogram:
        """Times in seconds: ``genpool_…_seconds``."""
        self._note(Family("histogram", name, labels, text))
        return Histogram(name, text, labels, buckets=buckets, registry=self._registry)

    def render(self) -> bytes:
        """Prometheus' text format, for ``/metrics``."""
        return generate_latest(self._registry)

    def _note(self, family: Family) -> None:
        if not _NAMES[family.kind].fullmatch(family.name):
            raise ValueError(f"a {family.kind} cannot be named {family.name}")
        self._families.append(family)
