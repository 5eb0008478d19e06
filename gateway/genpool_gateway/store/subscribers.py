"""Who wants to hear of changed tasks, in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

Changed = Callable[[Collection[str]], None]
Missed = Callable[[], None]


class Subscribers:
    """A list that many threads use; it is called without a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[object, tuple[Changed, Missed]] = {}

    def add(self, changed: Changed, missed: Missed) -> Callable[[], None]:
        """Returns what takes it away again."""
        mark = object()
        with self._lock:
            self._all[mark] = (changed, missed)

        def end() -> None:
            with self._lock:
                self._all.pop(mark, None)

        return end

    def changed(self, tasks: Collection[str]) -> None:
        """These tasks changed."""
        for changed, _ in self._now():
            changed(tasks)

    def missed(self) -> None:
        """Changes may have been missed."""
        for _, missed in self._now():
            missed()

    def _now(self) -> list[tuple[Changed, Missed]]:
        with self._lock:
            return list(self._all.values())
