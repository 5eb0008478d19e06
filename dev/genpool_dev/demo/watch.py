"""Looks at the pools while they work, shows what it sees, and ends when all is done or nothing moves any more.

Which tasks have ended it asks the gateway's API, as a program would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.live import Live

from genpool_core import names
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.demo.table import Sample, changed, done, plain, progress, render
from genpool_dev.stack import observe
from genpool_dev.stack.broker import QueueReading
from genpool_dev.stack.gateway import GatewayApi, Json
from genpool_dev.stack.install import Stack
from genpool_dev.stack.observe import PoolReading
from genpool_dev.stack.pools import Pool

Value = TypeVar("Value")

PAUSE = 1.0
STALL_SECONDS = 150
MAX_SECONDS = 900
#: Status of a task, in the API's words, that has no end yet.
UNFINISHED = frozenset({"queued", "running", "canceling"})
GOOD = "succeeded"


@dataclass(frozen=True)
class Watched:
    """How it went."""

    samples: tuple[Sample, ...]
    """The last ones."""
    peak: int
    """The most ready pods of all pools at one time."""
    fault: str | None
    """Why it was given up, or None."""


@dataclass(frozen=True)
class Seen:
    """One look at everything; None where a look failed."""

    readings: Mapping[str, PoolReading] | None
    queues: Mapping[str, QueueReading] | None
    ended: Mapping[str, Sequence[str]] | None
    """Status of each task that ended, as the API tells it, by pool."""


def watch(
    stack: Stack, api: GatewayApi, tasks: Mapping[str, int], pools: Sequence[Pool], console: Console
) -> Watched:
    """Look every second until every task has its end, the queues are empty and the pods are gone.

    ``tasks``: how many were sent, by pool. Gives up when nothing changed for 150 s, or after 15 min.
    """
    begun = moved = time.monotonic()
    peak = 0
    before: dict[str, Sample] = {}
    with _live(console) as live:
        while True:
            seen = look(stack, api, pools)
            samples = [sample_of(pool, tasks.get(pool.name, 0), seen) for pool in pools]
            peak = max(peak, sum(sample.ready or 0 for sample in samples))
            now = time.monotonic()
            if progress(samples) != progress(list(before.values())):
                moved = now
            _show(console, live, samples, before, now - begun)
            before = {sample.pool: sample for sample in samples}
            if done(samples):
                return Watched(tuple(samples), peak, None)
            fault = given_up(now - moved, now - begun)
            if fault:
                return Watched(tuple(samples), peak, "\n  ".join([fault, *troubles(seen.readings or {})]))
            time.sleep(PAUSE)


def given_up(still: float, total: float) -> str | None:
    """Why to wait no longer, or None; times in seconds. Pure."""
    if still > STALL_SECONDS:
        return f"Nothing has moved for {still:.0f} s: no task ended, no pod came or went."
    if total > MAX_SECONDS:
        return f"The tasks are not done after {total:.0f} s."
    return None


def troubles(readings: Mapping[str, PoolReading]) -> list[str]:
    """What the pools say is wrong with them, a line for each condition that does not hold. Pure."""
    return [
        f"{pool}: {condition.type} is {condition.status}: {condition.message}"
        for pool, reading in readings.items()
        for condition in reading.status.conditions
        if condition.status != "True"
    ]


def look(stack: Stack, api: GatewayApi, pools: Sequence[Pool]) -> Seen:
    """Ask Kubernetes, the broker and the gateway once. What fails is unknown, and never ends the demo."""
    return Seen(
        _or_unknown(lambda: observe.read(stack.kubectl, list(pools))),
        _or_unknown(stack.broker.queues),
        _or_unknown(lambda: ended_of(api.tasks(), pools)),
    )


def ended_of(tasks: Sequence[Json], pools: Sequence[Pool]) -> dict[str, list[str]]:
    """The status of each task that ended, by pool. Pure."""
    ended: dict[str, list[str]] = {pool.name: [] for pool in pools}
    for task in tasks:
        if task["status"] not in UNFINISHED and task["pool"]["name"] in ended:
            ended[task["pool"]["name"]].append(task["status"])
    return ended


def _or_unknown(ask: Callable[[], Value]) -> Value | None:
    try:
        return ask()
    except ClusterError:
        return None


def sample_of(pool: Pool, tasks: int, seen: Seen) -> Sample:
    """What is shown of a pool. Pure."""
    reading = (seen.readings or {}).get(pool.name)
    queue = (seen.queues or {}).get(pool.queue)
    dead = (seen.queues or {}).get(names.dead_queue(pool.queue))
    ended = seen.ended[pool.name] if seen.ended is not None else None
    own = reading.deployment if reading else None
    return Sample(
        pool=pool.name,
        tasks=tasks,
        waiting=queue.messages_ready if queue else None,
        running=queue.messages_unacknowledged if queue else None,
        replicas=own.replicas if own else None,
        ready=own.ready_replicas if own else None,
        busy=reading.status.busy_replicas if reading else None,
        results=ended.count(GOOD) if ended is not None else None,
        ends=len(ended) if ended is not None else None,
        dead=_dead(dead, ended),
        pods=len(reading.pods) if reading else None,
        why=(reading.status.scaling.message or "") if reading else "",
    )


def _dead(queue: QueueReading | None, ended: Sequence[str] | None) -> int | None:
    if queue is None or queue.messages_ready is None or ended is None:
        return None
    return max(queue.messages_ready, sum(status != GOOD for status in ended))


def _live(console: Console) -> AbstractContextManager[Live | None]:
    if console.is_terminal:
        return Live(console=console, refresh_per_second=4)
    return nullcontext()


def _show(
    console: Console, live: Live | None, samples: list[Sample], before: Mapping[str, Sample], elapsed: float
) -> None:
    if live is not None:
        live.update(render(samples, f"{elapsed:.0f} s since the tasks were published"))
        return
    for sample in changed(before, samples):
        console.print(f"  {elapsed:5.1f} s  {plain(sample)}", markup=False)
