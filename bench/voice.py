"""The pool's worker as the gateway hears it: so many events a second about tasks that are watched."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import pika

from genpool_core import identity, names
from genpool_core.messages.events import TaskClaimed, TaskProgress
from integration.gateway.api import PASSWORD, POOL, WORKER, Api


class Voice:
    """A thread that announces while the block runs: of each task a claim, then progress; ``numbers`` of events."""

    def __init__(
        self, api: Api, tasks: list[dict[str, Any]], per_second: int, numbers: Iterator[int]
    ) -> None:
        self._api = api
        self._tasks = tasks
        self._per_second = per_second
        self._numbers = numbers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with self._api.process.vhost.raw(WORKER, PASSWORD) as connection:
            channel = connection.channel()
            began = time.monotonic()
            for told in itertools.count():
                if self._over.wait(max(0.0, began + told / self._per_second - time.monotonic())):
                    return
                event = self._event(next(self._numbers))
                key = names.event_routing_key(event.pool.uid, event.type)
                properties = pika.BasicProperties(
                    message_id=event.id, type=event.type, user_id=WORKER, delivery_mode=2
                )
                channel.basic_publish(
                    names.EVENTS_EXCHANGE, key, event.model_dump_json().encode(), properties
                )

    def _event(self, number: int) -> TaskClaimed | TaskProgress:
        # Half of the events are states, which are stored; half are progress, which passes.
        task = self._tasks[number // 2 % len(self._tasks)]
        about: dict[str, Any] = {
            "pool": POOL,
            "worker": "pod-1",
            "time": datetime.now(UTC),
            "task_id": task["task_id"],
            "task_key": task["id"],
            "run": 1,
        }
        attempt = 1 + number // (2 * len(self._tasks))
        if number % 2 == 0:
            claim = identity.claim_event_id(task["id"], 1, attempt)
            return TaskClaimed(id=claim, **about, attempt=attempt, workflow="text-to-image")
        return TaskProgress(id=f"p-{number}", **about, attempt=attempt, value=0.5, node="17")
