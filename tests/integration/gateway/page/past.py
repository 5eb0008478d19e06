"""What a pool did in the hours before a test: figures of each minute with a gap, and tasks that came in waves."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from genpool_core.ledger.records import Times
from genpool_gateway.pools.samples import Figures, PoolSample, moment_of
from genpool_gateway.store.opening import open_store
from genpool_gateway.tasks.ports import NewTask
from integration.gateway.api import POOL
from support.task_changes import T0, accepting, change, end_record

MINUTES = 180
#: Minutes before now in which no gateway ran.
GAP = range(88, 104)
_MINUTE = timedelta(minutes=1)


def write_past(url: str) -> None:
    """Into an empty task store."""
    now = moment_of(datetime.now(UTC))
    store = open_store(url)
    moments = [(ago, now - _MINUTE * ago) for ago in range(MINUTES, 0, -1)]
    # And of the minutes in which the test runs: the first sample of a minute counts.
    for ago, moment in (*moments, *((-ahead, now + _MINUTE * ahead) for ahead in range(4))):
        if ago not in GAP:
            store.samples.add([PoolSample(POOL.uid, moment, _figures(ago))])
    for ago, moment in moments:
        if ago % 3 == 0 and ago not in GAP:
            names = [f"past-{ago}-{number}" for number in range(_wave(ago) // 4 + 1)]
            records = [accepting(name, pool=POOL, created_at=moment) for name in names]
            store.accepting.accept([NewTask(record) for record in records], {}, moment)
            store.events.apply(
                [_ended(name, moment, _wave(ago + 9) * 2.5 + 3 * number) for number, name in enumerate(names)]
            )
    store.close()


def _wave(ago: int) -> int:
    return round(12 + 11 * math.sin(ago / 19) + 5 * math.sin(ago / 5))


def _figures(ago: int) -> Figures:
    waiting = max(0, _wave(ago))
    wanted = max(1, min(6, 1 + waiting // 4))
    pods = max(1, min(6, 1 + max(0, _wave(ago + 4)) // 4))
    ready = max(1, min(pods, 1 + max(0, _wave(ago + 7)) // 4))
    return Figures(waiting, min(ready, waiting), pods, ready, min(ready, waiting), wanted)


def _ended(name: str, came: datetime, wait: float):  # noqa: ANN202 - a change
    began = came + timedelta(seconds=wait)
    end = end_record(
        name, times=Times(enqueued=came, claimed=began), started_at=began, ended_at=began + 8 * _SECOND
    )
    return change(name, "ended", seconds=(began + 8 * _SECOND - T0).total_seconds(), pool=POOL, end=end)


_SECOND = timedelta(seconds=1)
