"""Looks into the task store that many requests need at the same moment: one of them looks for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

from anyio import to_thread

T = TypeVar("T")
_Look = tuple[Callable[[str], Any], str]


class SharedLooks:
    """Looks in threads, each once at a time. Used in the event loop only.

    A thousand watchers under one key are told of nothing new at the same moment, or wake up together when another
    gateway was restarted: without this each of them would look the key up, and everybody else's requests wait behind
    them.
    """

    def __init__(self) -> None:
        self._running: dict[_Look, asyncio.Task[Any]] = {}

    async def ask(self, look: Callable[[str], T], word: str) -> T:
        """What ``look(word)`` returns or raises; who asks while one such look runs gets its answer.

        That the one who asked first is gone meanwhile ends it for nobody else.
        """
        wanted: _Look = (look, word)
        task = self._running.get(wanted)
        if task is None:
            task = asyncio.create_task(to_thread.run_sync(look, word))
            self._running[wanted] = task
            task.add_done_callback(lambda done: self._done(wanted, done))
        return cast("T", await asyncio.shield(task))

    def _done(self, wanted: _Look, task: asyncio.Task[Any]) -> None:
        del self._running[wanted]
        if not task.cancelled():
            # Fetched here too, so that asyncio does not complain where all who asked are gone.
            task.exception()
