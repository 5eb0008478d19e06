"""Work of each pool in threads of its own, so that a bucket that hangs stops the ends of its own pool only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

#: Ends of a pool that are made at the same time.
WIDTH = 4


class Lanes:
    """Executors by pool, each made when it is first needed. What runs in them raises nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._stopping = False

    def put(self, pool: str, work: Callable[[], None]) -> bool:
        """Do it in a thread of the pool; returns at once. False: the gateway stops."""
        with self._lock:
            if self._stopping:
                return False
            lane = self._lanes.get(pool)
            if lane is None:
                lane = ThreadPoolExecutor(WIDTH, thread_name_prefix=f"ends {pool}")
                self._lanes[pool] = lane
            lane.submit(work)
            return True

    def stop(self) -> None:
        """Begin nothing more; what is under way ends by its own time-outs, or with the process."""
        with self._lock:
            self._stopping = True
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.shutdown(wait=False, cancel_futures=True)
