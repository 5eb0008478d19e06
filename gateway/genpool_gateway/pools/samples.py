"""Figures of pools at moments, kept so that they can be seen over time. Pure, with the port of where they are kept.

A sample says no more than was known at its moment: a figure that nobody could read is None, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from genpool_core import timing
from genpool_core.api.status import GenerationPoolStatus
from genpool_gateway.pools.pool import ServedPool


@dataclass(frozen=True)
class Figures:
    """What was known of a pool at a moment."""

    waiting: int | None = None
    running: int | None = None
    pods: int | None = None
    pods_ready: int | None = None
    pods_busy: int | None = None
    pods_wanted: int | None = None


NOTHING = Figures()


@dataclass(frozen=True)
class PoolSample:
    """The figures of one pool at the beginning of a minute."""

    pool_uid: str
    time: datetime
    figures: Figures


@dataclass(frozen=True)
class Flow:
    """What the tasks of a pool did in one step."""

    arrivals: int = 0
    """Tasks that came, replays not counted."""
    arrivals_plain: int = 0
    """Those among them that are plain producers': they are counted when a worker took them."""
    waits_known: int = 0
    """Tasks that ended and whose wait is known."""
    wait_mean: float | None = None
    """Their mean wait, seconds."""
    wait_longest: float | None = None


class SampleStore(Protocol):
    """Where samples are kept, and tasks are counted. Every method raises TaskStoreError."""

    def add(self, samples: Sequence[PoolSample]) -> None:
        """Keep them, in one statement; of a pool and a time the first one counts, whichever gateway made it."""

    def samples(self, pool_uid: str, times: Sequence[datetime]) -> Mapping[datetime, Figures]:
        """Those of a pool at these times."""

    def thin(self, *, keep_from: datetime, fine_from: datetime, limit: int) -> int:
        """Delete those of at most ``limit`` moments; of how many, fewer than ``limit``: no more are left.

        What is older than ``keep_from`` goes, and of what is older than ``fine_from`` all but one for each step of
        ``POOL_SAMPLE_COARSE_SECONDS``.
        """

    def flow(
        self, pool_uid: str, *, since: datetime, until: datetime, step: timedelta
    ) -> Mapping[datetime, Flow]:
        """What tasks did, by the beginning of the step, counted from ``since``; a step without any is not there."""


def moment_of(now: datetime, seconds: int = timing.POOL_SAMPLE_SECONDS) -> datetime:
    """The beginning of the step in which a time lies; steps begin with the hours of UTC, or divide them."""
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def figures_of(status: GenerationPoolStatus, now: datetime) -> Figures:
    """What the operator's status says of now: nothing where the operator was heard too long ago, or never."""
    observed = status.queue.observed_at
    is_read = status.queue.waiting is not None or status.queue.running is not None
    if is_read and (
        observed is None or now - observed > timedelta(seconds=timing.POOL_STATUS_SILENT_SECONDS)
    ):
        return NOTHING
    return Figures(
        waiting=status.queue.waiting,
        running=status.queue.running,
        pods=status.replicas,
        pods_ready=status.ready_replicas,
        pods_busy=status.busy_replicas,
        pods_wanted=status.scaling.desired,
    )


def samples_of(pools: Iterable[ServedPool], moment: datetime, now: datetime) -> list[PoolSample]:
    """Samples of all pools of which anything is known."""
    known = ((pool.ref.uid, figures_of(pool.status, now)) for pool in pools)
    return [PoolSample(uid, moment, figures) for uid, figures in known if figures != NOTHING]
