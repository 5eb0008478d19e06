"""The live table: one row a pool. What it shows is computed here from samples; nothing is asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

COLUMNS = ("pool", "waiting", "running", "replicas", "ready", "busy", "results", "dead", "why")
UNKNOWN = "?"


@dataclass(frozen=True)
class Sample:
    """A pool as last seen. None: could not be read, which is not zero."""

    pool: str
    tasks: int
    """Tasks that were published to it."""
    waiting: int | None = None
    running: int | None = None
    replicas: int | None = None
    ready: int | None = None
    busy: int | None = None
    results: int | None = None
    ends: int | None = None
    """Tasks that ended, well or not."""
    dead: int | None = None
    pods: int | None = None
    """Pods that exist, the ending ones too."""
    why: str = ""
    """The scaler's sentence."""


def row(sample: Sample) -> tuple[str, ...]:
    """The cells of one pool, in the order of ``COLUMNS``."""
    results = f"{_told(sample.results)}/{sample.tasks}"
    figures = (sample.waiting, sample.running, sample.replicas, sample.ready, sample.busy)
    return (sample.pool, *map(_told, figures), results, _told(sample.dead), sample.why or "-")


def render(samples: Sequence[Sample], title: str) -> Table:
    """The table for a terminal."""
    table = Table(title=title, title_justify="left", expand=True)
    for name in COLUMNS:
        wide = name in {"pool", "why"}
        table.add_column(name, justify="left" if wide else "right", ratio=1 if name == "why" else None)
    for sample in samples:
        table.add_row(*row(sample))
    return table


def plain(sample: Sample) -> str:
    """One line of a log."""
    cells = dict(zip(COLUMNS, row(sample), strict=True))
    why = cells.pop("why")
    return (
        "  ".join([cells.pop("pool"), *(f"{name} {value}" for name, value in cells.items())]) + f"  | {why}"
    )


def changed(before: Mapping[str, Sample], now: Sequence[Sample]) -> list[Sample]:
    """The samples that differ from those before: a log gets no line that says nothing new."""
    return [sample for sample in now if sample.pool not in before or row(before[sample.pool]) != row(sample)]


def done(samples: Sequence[Sample]) -> bool:
    """Whether every task has its end, every queue is empty and no pod is left."""
    return all(
        sample.ends is not None
        and sample.ends >= sample.tasks
        and sample.waiting == 0
        and sample.running == 0
        and sample.replicas == 0
        and sample.pods == 0
        for sample in samples
    )


def progress(samples: Sequence[Sample]) -> tuple[object, ...]:
    """What must change from time to time while the demo is not done; the scaler's words do not count."""
    return tuple(
        (sample.pool, sample.waiting, sample.running, sample.replicas, sample.ready, sample.ends)
        for sample in samples
    )


def _told(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)
