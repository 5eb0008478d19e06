"""How fast the gateway accepts tasks, beside a plain handler on the same machine, in the same run.

    python bench/gateway.py [--seconds 8] [--rounds 3] [--tasks 100000] [--nice -10]

The server under test has one core; broker, database server and clients have the other. Rounds of gateway and baseline
alternate, and each figure is a median of rounds: on a machine that does other things the ratios hold, not the figures.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path

import uvloop
from load import Answers, Watchers, closed_loop, open_loop
from rig import OTHER_CORE, Server, baseline, broker, empty_queue, fsync_ms, gateway, new_database
from voice import Voice

from genpool_dev import postgresql
from integration.broker import Vhost

CLIENTS = 64
WATCHERS = 1000
EVENTS_PER_SECOND = 100
#: Times that answers are measured without watchers and with them.
PAIRS = 5
#: Tasks after which memory is compared, and how many of them come first.
FIRST = 20_000
Start = Callable[[], AbstractContextManager[Server]]


def main() -> None:
    """Measure all, and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=100_000, help="until memory is compared")
    parser.add_argument(
        "--nice", type=int, default=0, help="of all that is measured; below 0 beside other work"
    )
    given = parser.parse_args()
    # What it starts has the same.
    os.setpriority(os.PRIO_PROCESS, 0, given.nice)
    os.sched_setaffinity(0, {OTHER_CORE})
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    found: dict[str, float] = {}
    numbers = itertools.count()
    with tempfile.TemporaryDirectory(prefix="genpool-bench-") as name, broker(given.nice) as vhost:
        folder = Path(name)
        found |= _rates("sqlite", vhost, folder, given, numbers, lambda name: f"sqlite:///{folder / name}.db")
        found["fsync_ms"] = fsync_ms(folder)
        with postgresql.running() as server, ExitStack() as databases:

            def url(name: str) -> str:
                return server.url(databases.enter_context(server.database(name)))

            found |= _rates("postgresql", vhost, folder, given, numbers, url)
        with gateway(vhost, folder / "long", f"sqlite:///{folder / 'long.db'}") as served:
            found |= _latency(served, vhost, given, numbers)
            found["rss_growth_mb"] = _growth(served, vhost, given.tasks, numbers)
    order = "sqlite_rps sqlite_baseline_rps postgresql_rps postgresql_baseline_rps cpu_ms_per_accept fsync_ms p99_ms"
    order += " p99_ms_with_watchers sse_watchers rss_growth_mb"
    print(json.dumps({key: round(found[key], 3) for key in order.split()}))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _rates(
    kind: str,
    vhost: Vhost,
    folder: Path,
    given: argparse.Namespace,
    numbers: Iterator[int],
    url: Callable[[str], str],
) -> dict[str, float]:
    """Accepted tasks a second of both servers in turns; CPU time of the gateway for each."""
    rates: dict[str, list[float]] = {"gateway": [], "baseline": []}
    costs = []
    for turn in range(given.rounds):
        for name, start in (("gateway", gateway), ("baseline", baseline)):
            label = f"{kind}_{name}_{turn}"
            database = new_database(url(label))
            with start(vhost, folder / label, database) as served:
                _closed(served, 1.0, numbers)
                empty_queue(vhost)
                before = served.cpu_seconds
                answers, rate = _closed(served, given.seconds, numbers)
                cost = (served.cpu_seconds - before) * 1000 / answers.accepted
            _say(f"{label}: {rate:.0f} a second, {cost:.2f} ms CPU, p99 {answers.percentile(0.99):.0f} ms")
            rates[name].append(rate)
            if name == "gateway":
                costs.append(cost)
    found = {
        f"{kind}_rps": statistics.median(rates["gateway"]),
        f"{kind}_baseline_rps": statistics.median(rates["baseline"]),
    }
    return found | ({"cpu_ms_per_accept": statistics.median(costs)} if kind == "sqlite" else {})


def _closed(served: Server, seconds: float, numbers: Iterator[int]) -> tuple[Answers, float]:
    began = time.monotonic()
    until = partial(_is_over, began + seconds)
    answers = asyncio.run(closed_loop(served.port, served.key, numbers, CLIENTS, until))
    if answers.others:
        raise RuntimeError(f"{served.name} refused tasks: {answers.others}")
    return answers, answers.accepted / (time.monotonic() - began)


def _is_over(at: float) -> bool:
    return time.monotonic() >= at


def _latency(
    served: Server, vhost: Vhost, given: argparse.Namespace, numbers: Iterator[int]
) -> dict[str, float]:
    """Times of answers at half the highest rate, without watchers and with them in turns.

    Each turn finds the highest rate anew: of a machine that became slower meanwhile, half of what it could do before
    may be all that it can do, and then it is the machine's queue that is measured.
    """
    assert served.api is not None
    api = served.api
    watched = [api.submit(f"watched {number}") for number in range(WATCHERS)]
    alone: list[float] = []
    beside: list[float] = []
    alive = []
    # Events of all rounds are new: one that was applied already costs less.
    events = itertools.count()
    for _ in range(PAIRS):
        half = _closed(served, given.seconds / 2, numbers)[1] / 2
        empty_queue(vhost)
        alone.append(_window(served, half, given.seconds, numbers, "alone"))
        with asyncio.Runner() as runner:
            watchers = Watchers()
            runner.run(watchers.watch(served.port, served.key, watched))
            before = watchers.events
            with Voice(api, watched, EVENTS_PER_SECOND, events):
                beside.append(_window(served, half, given.seconds, numbers, "with watchers", runner))
            seen = watchers.events - before
            alive.append(watchers.alive)
            watchers.close()
        empty_queue(vhost)
        if seen < EVENTS_PER_SECOND * given.seconds / 2:
            raise RuntimeError(f"watchers saw {seen} events only")
    return {
        "p99_ms": statistics.median(alone),
        "p99_ms_with_watchers": statistics.median(beside),
        "sse_watchers": min(alive),
    }


def _window(
    served: Server,
    rate: float,
    seconds: float,
    numbers: Iterator[int],
    label: str,
    runner: asyncio.Runner | None = None,
) -> float:
    """The 99th percentile of one open loop, in milliseconds."""
    with asyncio.Runner() if runner is None else nullcontext(runner) as loop:
        loop.run(open_loop(served.port, served.key, numbers, rate, 1.0))
        answers = loop.run(open_loop(served.port, served.key, numbers, rate, seconds))
    times = ", ".join(f"p{part * 100:g} {answers.percentile(part):.1f} ms" for part in (0.5, 0.9, 0.99))
    _say(f"open loop at {rate:.0f} a second, {label}: {times} {answers.others or ''}")
    return answers.percentile(0.99)


def _growth(served: Server, vhost: Vhost, tasks: int, numbers: Iterator[int]) -> float:
    """Memory after so many tasks more than after the first ones."""
    memory = []
    for wanted in (FIRST, tasks - FIRST):
        left = itertools.count(wanted, -1)
        asyncio.run(
            closed_loop(served.port, served.key, numbers, CLIENTS, lambda left=left: next(left) <= 0)  # type: ignore[misc]
        )
        memory.append(served.rss_mb)
        empty_queue(vhost)
    _say(f"memory: {memory[0]:.1f} MB after {FIRST} tasks, {memory[1]:.1f} MB after {tasks}")
    return memory[1] - memory[0]


if __name__ == "__main__":
    main()
