"""Puts what came inside a task into its pool's bucket, in threads of that bucket: nobody else waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from genpool_core.errors import SettingsError, StorageError
from genpool_core.ledger import keys
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.accepting.refusals import Overloaded, TooLarge
from genpool_gateway.accepting.set_apart import MOST_MESSAGE_BYTES, Input
from genpool_gateway.pools.errors import how_to_list, not_listed
from genpool_gateway.pools.ports import PoolBuckets
from genpool_gateway.tasks.places import LooseInput, LooseInputs

#: Tasks of one bucket whose inputs are put at the same time.
WIDTH = 8
#: Tasks of one bucket whose inputs are put or wait for that.
MOST = 64


@dataclass
class _Lane:
    """The tasks of one bucket."""

    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(WIDTH))
    under_way: int = 0


class InputStore:
    """See the module. :meth:`put` may be called by any thread."""

    def __init__(self, buckets: PoolBuckets, loose: LooseInputs, now: Callable[[], datetime]) -> None:
        """``loose``: is told before an object is there, so that it is found when its task comes to nothing."""
        self._buckets = buckets
        self._loose = loose
        self._now = now
        self._lock = threading.Lock()
        self._lanes: dict[tuple[str | None, str], _Lane] = {}
        self._stopping = False

    def put(self, store: StoreConfig, task: str, inputs: Sequence[Input]) -> Future[None]:
        """Put the inputs of a task into the bucket of its pool; returns at once. Twice equals once.

        The future ends when all are there, or with a StorageError or TaskStoreError. It ends with TooLarge where the
        gateway may not use the bucket, so that the message would have to hold them.

        Raises
        ------
        Overloaded
            As many tasks wait for the bucket as may.
        """
        with self._lock:
            lane = self._lanes.setdefault(store.address, _Lane())
            if self._stopping or lane.under_way >= MOST:
                text = "the gateway is stopping" if self._stopping else f"{MOST} tasks wait for {store}"
                raise Overloaded(f"{text}: send the task again in a moment.")
            lane.under_way += 1
        future: Future[None] = Future()
        # One that hangs holds up nobody, the end of the process neither.
        work = (lane, future, store, task, tuple(inputs))
        threading.Thread(target=self._run, args=work, name="inputs", daemon=True).start()
        return future

    def stop(self) -> None:
        """Put nothing more; what is under way ends with the process."""
        self._stopping = True

    def _run(
        self, lane: _Lane, future: Future[None], store: StoreConfig, task: str, inputs: Sequence[Input]
    ) -> None:
        trouble: Exception | None = None
        try:
            with lane.gate:
                self._put(store, task, inputs)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            trouble = error
        with self._lock:
            lane.under_way -= 1
        if trouble is None:
            future.set_result(None)
        else:
            future.set_exception(trouble)

    def _put(self, store: StoreConfig, task: str, inputs: Sequence[Input]) -> None:
        if self._stopping:
            raise Overloaded("the gateway is stopping: send the task again in a moment.")
        try:
            bucket = self._buckets.of(store)
        except SettingsError as error:
            raise StorageError(error.message) from error
        if bucket is None:
            raise _too_large(store)
        objects = [(keys.input_key(store.prefix, task, each.digest), each) for each in inputs]
        self._loose.note([LooseInput(store, key, self._now(), task=task) for key, _ in objects])
        for key, each in objects:
            bucket.put(key, each.data, each.content_type)


def _too_large(store: StoreConfig) -> TooLarge:
    return TooLarge(
        f"the task is a message of more than {MOST_MESSAGE_BYTES:,} bytes, the most that queues take. Files and graphs "
        f"of larger ones go to the pool's store, but {not_listed(store)}. {how_to_list(store)}, or send files as links."
    )
