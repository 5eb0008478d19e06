"""A work queue that was deleted with what was in it: its tasks are in the next one, once each, in their order."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from genpool_adapters.amqp import AmqpConnection
from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_core import names, timing
from genpool_core.api.status import QueueStatus
from genpool_gateway.accepting.acceptor import Acceptor
from genpool_gateway.adapters.pool_broker import RabbitPoolBroker
from genpool_gateway.adapters.task_queues import RabbitWorkQueues
from genpool_gateway.janitor.lost import LostTasks
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.manifests import pools_of
from genpool_gateway.store.opening import open_store
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import Submission
from integration.broker import Vhost, until
from integration.gateway.api import POOL, QUEUE, pool_manifest
from unit.gateway.samples import record

LATER = datetime.now(UTC) + timedelta(hours=1)
TASKS = [f"{number:040}" for number in range(3)]


def pools(vhost: Vhost) -> PoolDirectory:
    """The pool, of which the operator says that nothing waits and nobody works."""
    idle = QueueStatus(waiting=0, running=0, observed_at=LATER)
    files = partial(shipped_files, default_workflows())
    found = pools_of([pool_manifest(vhost.name)], files).pools
    return PoolDirectory.of(
        replace(pool, status=pool.status.model_copy(update={"queue": idle})) for pool in found
    )


def prompts(vhost: Vhost) -> list[str]:
    found = []
    while (message := vhost.get(QUEUE)) is not None:
        found.append(json.loads(message[1])["prompt"])
    return found


def new(task: str) -> NewTask:
    body = json.dumps({"task_id": task, "prompt": task}).encode()
    return NewTask(
        record(task, pool=POOL, created_at=datetime.now(UTC), submission=Submission(owner="key-1", body=body))
    )


def test_tasks_of_a_queue_that_was_deleted(rabbitmq: Vhost, tmp_path: Path) -> None:
    rabbitmq.queue(QUEUE)
    rabbitmq.exchange(names.EVENTS_EXCHANGE, "topic")
    step = names.retry_step(timing.RETRY_STEPS[0])
    rabbitmq.queue(step)
    directory, clock = pools(rabbitmq), SimpleNamespace(seconds=0.0)
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_store(f"sqlite:///{tmp_path / 'tasks.db'}")))
        connections = {("default", rabbitmq.name): AmqpConnection(rabbitmq.settings())}
        for each in connections.values():
            each.start()
            stack.callback(each.stop, 1.0)
            until(lambda each=each: each.connected, "the connection")  # type: ignore[misc]
        acceptor = Acceptor(
            store.accepting, RabbitWorkQueues(connections, directory.by_uid), now=lambda: LATER
        )
        acceptor.start()
        stack.callback(acceptor.stop, 1.0)
        source = SimpleNamespace(snapshot=lambda: directory, outdated=lambda: None)
        nowhere = SimpleNamespace(ledger=lambda _config: None)
        looking = LostTasks(
            cast("Any", source),
            store.lost,
            RabbitPoolBroker(connections),
            cast("Any", nowhere),
            cast("Any", None),
            now=lambda: LATER,
            monotonic=lambda: clock.seconds,
        )
        for task in TASKS:
            acceptor.submit(new(task)).result(10)
        until(lambda: store.lost.unheard_of(POOL.uid, before=LATER, limit=9), "it is known to be queued")
        rabbitmq.delete_queue(QUEUE)
        looking.look()  # the queue is its operator's to make
        rabbitmq.queue(QUEUE)
        with rabbitmq.raw() as connection:
            connection.channel().basic_publish("", step, b"{}")
        until(lambda: rabbitmq.ready(step) == 1, "a message waits for its next attempt")
        for clock.seconds in (0.0, timing.LOST_SECONDS, 2 * timing.LOST_SECONDS):
            looking.look()  # that may be one of these
        assert not store.accepting.unpublished(older_than=LATER, limit=9)
        rabbitmq.purge(step)
        looking.look()
        assert not store.accepting.unpublished(older_than=LATER, limit=9)
        clock.seconds = 3 * timing.LOST_SECONDS
        looking.look()
        until(lambda: rabbitmq.ready(QUEUE) == len(TASKS), "the tasks are in the queue again", 20)
        looking.look()
        assert prompts(rabbitmq) == TASKS
