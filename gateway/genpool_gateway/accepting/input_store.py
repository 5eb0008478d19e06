"""Puts what came inside a task into its pool's bucket, in threads of that bucket: nobody else waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from genpool_core.errors import SettingsError, StorageError
from genpool_core.ledger import keys
from genpool_core.workerconfig import S3Config
from genpool_gateway.accepting.refusals import Overloaded, TooLarge
from genpool_gateway.accepting.set_apart import MOST_MESSAGE_BYTES, Input
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

    def put(self, s3: S3Config, task: str, inputs: Sequence[Input]) -> Future[None]:
        """Put the inputs of a task into the bucket of its pool; returns at once. Twice equals once.

        The future ends when all are there, or with a StorageError or TaskStoreError. It ends with TooLarge where the
        gateway may not use the bucket, so that the message would have to hold them.

        Raises
        ------
        Overloaded
            As many tasks wait for the bucket as may.
        """
        with self._lock:
            lane = self._lanes.setdefault((s3.endpoint, s3.bucket), _Lane())
            if self._stopping or lane.under_way >= MOST:
                text = (
                    "the gateway is stopping"
                    if self._stopping
                    else f"{MOST} tasks wait for bucket {s3.bucket}"
                )
                raise Overloaded(f"{text}: send the task again in a moment.")
            lane.under_way += 1
        future: Future[None] = Future()
        # One that hangs holds up nobody, the end of the process neither.
        work = (lane, future, s3, task, tuple(inputs))
        threading.Thread(target=self._run, args=work, name=f"inputs {s3.bucket}", daemon=True).start()
        return future

    def stop(self) -> None:
        """Put nothing more; what is under way ends with the process."""
        self._stopping = True

    def _run(
        self, lane: _Lane, future: Future[None], s3: S3Config, task: str, inputs: Sequence[Input]
    ) -> None:
        trouble: Exception | None = None
        try:
            with lane.gate:
                self._put(s3, task, inputs)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            trouble = error
        with self._lock:
            lane.under_way -= 1
        if trouble is None:
            future.set_result(None)
        else:
            future.set_exception(trouble)

    def _put(self, s3: S3Config, task: str, inputs: Sequence[Input]) -> None:
        if self._stopping:
            raise Overloaded("the gateway is stopping: send the task again in a moment.")
        try:
            store = self._buckets.of(s3)
        except SettingsError as error:
            raise StorageError(error.message) from error
        if store is None:
            raise _not_listed(s3)
        objects = [(keys.input_key(s3.prefix, task, each.digest), each) for each in inputs]
        self._loose.note([LooseInput(s3, key, self._now(), task=task) for key, _ in objects])
        for key, each in objects:
            store.put(key, each.data, each.content_type)


def _not_listed(s3: S3Config) -> TooLarge:
    where = s3.endpoint or f"AWS region {s3.region}"
    return TooLarge(
        f"the task is a message of more than {MOST_MESSAGE_BYTES:,} bytes, the most that queues take. Files and graphs "
        f"of larger ones go to the pool's bucket, but bucket {s3.bucket} at {where} is not in gateway.stores of the "
        "chart: list it there, with its Secret, or send files as links."
    )
