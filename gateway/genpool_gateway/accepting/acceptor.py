"""Accepts tasks. One thread stores what waits in one commit, publishes it, and goes on; confirmations come later.

A task is in the store before it is in the broker, so that it can be published again when the gateway dies in between:
the ledger makes a repeat harmless, and nothing makes a loss so.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from genpool_core import timing
from genpool_core.errors import TaskStoreError
from genpool_gateway.accepting.answers import standing
from genpool_gateway.accepting.in_flight import Accepting, InFlight, Outcome
from genpool_gateway.accepting.ports import WorkQueues
from genpool_gateway.accepting.refusals import NotAccepted, Overloaded, QueueFull
from genpool_gateway.tasks.ports import Acceptance, Accepted, AcceptingStore, NewTask
from genpool_gateway.tasks.record import TaskRecord, TaskState

_log = structlog.get_logger(__name__)
#: Tasks in one commit.
GROUP = 64
#: Tasks that may wait for a commit or for their confirmation.
MOST = 20_000
#: Tasks without a known outcome that are published again in one go.
_AGAIN = 256


@dataclass
class _Waiting:
    task: NewTask
    cap: int | None
    full: QueueFull | None
    done: Accepting


class Acceptor:
    """See the module. :meth:`submit` may be called by any thread."""

    def __init__(self, store: AcceptingStore, queues: WorkQueues, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._queues = queues
        self._now = now
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._flights = InFlight()
        self._look_again = 0.0
        self._took = 0.0
        self._lost_until: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="accepting", daemon=True)

    def start(self) -> None:
        """Begin, with the tasks that a process before left without a known outcome; returns at once."""
        self._lost_until = self._now()
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Store and publish what waits, and wait for confirmations, at most so long."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def submit(self, task: NewTask, *, cap: int | None = None, full: QueueFull | None = None) -> Accepting:
        """Accept a task; returns at once. ``cap``: the most unfinished tasks of its owner.

        ``full``: the refusal where the task is not known already.

        The future ends when the broker has the task, or with a refusal, ``Unconfirmed``, or TaskStoreError.
        """
        done = Accepting(task.record.id)
        waiting = _Waiting(task if full is None else replace(task, room=False), cap, full, done)
        with self._changed:
            if self._stopping or len(self._waiting) + len(self._flights) >= MOST:
                text = "the gateway is stopping" if self._stopping else f"{MOST} tasks wait to be accepted"
                waiting.done.set_exception(Overloaded(f"{text}: send the task again in a moment."))
                return waiting.done
            self._waiting.append(waiting)
            if len(self._waiting) in {1, GROUP}:
                self._changed.notify()
        return waiting.done

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping
        return None if alive else "the thread that accepts tasks has ended: see the log."

    # In the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_over():
            group = self._take()
            try:
                if group:
                    began = time.monotonic()
                    self._accept(group)
                    self._took = time.monotonic() - began
                else:
                    self._settle()
                    self._publish_again()
            except TaskStoreError as error:
                _log.warning("task_store_failed", reason=error.reason, message=error.message)
            except Exception as error:  # noqa: BLE001 - logged with its traceback; senders are answered, and others go on
                _log.exception("accepting_failed")
                _fail(group, error)
        with suppress(TaskStoreError):
            # What is not told now is found in the state ``accepting`` by the next process.
            self._settle()

    def _is_over(self) -> bool:
        with self._changed:
            return self._stopping and not self._waiting and not len(self._flights)

    def _take(self) -> list[_Waiting]:
        """The next group; empty when nothing came for a moment."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(timing.ACCEPT_IDLE_SECONDS)
            if not self._waiting:
                return []
            self._changed.wait_for(
                lambda: len(self._waiting) >= GROUP or self._stopping, gather_seconds(self._took)
            )
            return [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]

    def _accept(self, group: Sequence[_Waiting]) -> None:
        caps = {item.task.record.owner: item.cap for item in group if item.cap is not None}
        settled = self._flights.take_settled()
        try:
            if settled.refused:
                self._store.refused(settled.refused)
                settled.refused = []
            answers = self._store.accept(
                [item.task for item in group],
                {owner: cap for owner, cap in caps.items() if owner is not None},
                self._now(),
                published=settled.published,
            )
        except TaskStoreError as error:
            self._flights.give_back(settled)
            _fail(group, error)
            raise
        publish = [
            record
            for item, answer in zip(group, answers, strict=True)
            if (record := self._answered(item, answer)) is not None
        ]
        self._publish(publish)

    def _answered(self, item: _Waiting, answer: Accepted) -> TaskRecord | None:
        """The task to publish, if that is what follows; else its sender is answered, or waits with another one."""
        record = standing(item.task, answer, cap=item.cap, full=item.full)
        if isinstance(record, NotAccepted):
            _fail([item], record)
            return None
        fresh = answer.acceptance is Acceptance.CREATED
        if not fresh and record.state is not TaskState.ACCEPTING:
            with suppress(InvalidStateError):
                item.done.set_result(Outcome(record, repeated=True))
            return None
        item.done.task = record.id
        return record if self._flights.begin(record, item.done, fresh=fresh) else None

    def _publish(self, records: Sequence[TaskRecord]) -> None:
        for record, published in zip(records, self._queues.publish(records), strict=True):
            published.add_done_callback(lambda done, task=record.id: self._flights.ended(task, done))  # type: ignore[misc]

    def _settle(self) -> None:
        settled = self._flights.take_settled()
        try:
            if settled.refused:
                self._store.refused(settled.refused)
                settled.refused = []
            if settled.published:
                self._store.published(settled.published)
        except TaskStoreError:
            self._flights.give_back(settled)
            raise

    def _publish_again(self) -> None:
        """Publish tasks whose outcome is not known: those of a process before at once, others after a while."""
        if time.monotonic() < self._look_again:
            return
        self._look_again = time.monotonic() + timing.ACCEPT_LOOK_SECONDS
        before = self._now() - timedelta(seconds=timing.ACCEPT_RETRY_SECONDS)
        if self._lost_until is not None:
            before = max(before, self._lost_until)
        lost = self._store.unpublished(older_than=before, limit=_AGAIN)
        if len(lost) < _AGAIN:
            self._lost_until = None
        again = [record for record in lost if self._flights.begin(record, None, fresh=False)]
        if again:
            _log.info("tasks_published_again", tasks=len(again))
            self._publish(again)


def gather_seconds(took: float) -> float:
    """How long others may join the first task of a group, after a group took so many seconds. Pure.

    So the thread stores for half of its time at most: where a commit is slow, or the processor is busy, groups become
    larger, and each task cheaper.
    """
    return min(max(timing.ACCEPT_GATHER_SECONDS, took), timing.ACCEPT_GATHER_MOST_SECONDS)


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for item in group:
        with suppress(InvalidStateError):
            item.done.set_exception(error)
