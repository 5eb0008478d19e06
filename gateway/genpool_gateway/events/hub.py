"""Those who watch tasks in this process, and the latest progress of tasks that run.

That something was stored is only told: a watcher reads it in the store. Progress and previews are told as they come and
are kept nowhere but here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from genpool_core.jsontypes import JsonObject

#: Running tasks whose latest progress is kept.
_PROGRESS = 10_000


@dataclass
class Watch:
    """What one watcher has not seen yet. Read and written in the event loop only."""

    pool: str
    """UID of the task's pool: of what passes, only its workers are believed."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stored: bool = False
    """Something was stored: read the store."""
    passing: OrderedDict[str, JsonObject] = field(default_factory=OrderedDict)
    """The latest of each kind of passing event, by its kind: a slow watcher misses the ones before."""
    closed: bool = False


class Hub:
    """See the module. Made in the event loop's thread before anything else calls it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: dict[str, list[Watch]] = {}
        self._progress: OrderedDict[tuple[str, str], JsonObject] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(watches) for watches in self._watches.values())

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop in which the watchers live."""
        self._loop = loop

    # From any thread --------------------------------------------------------------------------------------------

    def look(self, tasks: Collection[str]) -> None:
        """Have the watchers of these tasks read the store."""
        if tasks and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stored, list(tasks))

    def look_all(self) -> None:
        """Have every watcher read the store: what another gateway told may have been missed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._stored(list(self._watches)))

    def close_soon(self) -> None:
        """End all watches: the program stops, and watchers go to another gateway."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close)

    def pass_on(self, task: str, pool: str, kind: str, data: JsonObject) -> None:
        """Progress or a preview of a running task, from a worker of the pool with this UID."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._passed, task, pool, kind, data)

    # In the loop --------------------------------------------------------------------------------------------------

    @contextmanager
    def watching(self, task: str, pool: str) -> Iterator[Watch]:
        """A watch for as long as the block runs. ``pool``: UID of the task's pool."""
        watch = Watch(pool)
        self._watches.setdefault(task, []).append(watch)
        try:
            yield watch
        finally:
            watches = self._watches[task]
            watches.remove(watch)
            if not watches:
                del self._watches[task]

    def progress(self, task: str, pool: str) -> JsonObject | None:
        """The latest progress of a running task, if any was heard from its pool."""
        return self._progress.get((task, pool))

    def _close(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.closed = True
                watch.changed.set()

    def _stored(self, tasks: Sequence[str]) -> None:
        for task in tasks:
            for watch in self._watches.get(task, ()):
                watch.stored = True
                watch.changed.set()

    def _passed(self, task: str, pool: str, kind: str, data: JsonObject) -> None:
        if kind == "progress":
            self._progress[task, pool] = data
            self._progress.move_to_end((task, pool))
            if len(self._progress) > _PROGRESS:
                self._progress.popitem(last=False)
        for watch in self._watches.get(task, ()):
            if watch.pool == pool:
                watch.passing[kind] = data
                watch.changed.set()
