"""From records to answers: what of a task is asked for only when it is shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from anyio import to_thread

from genpool_core.ledger.records import Output
from genpool_gateway.api.problems import Problem
from genpool_gateway.api.request_base import whole_links
from genpool_gateway.api.services import Services
from genpool_gateway.keys.access import Caller
from genpool_gateway.tasks.expected_start import MEASURED, PoolLoad, expected_start, is_shared
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState
from genpool_gateway.tasks.view import Beside, Link, TaskView, view_of


def answer_of(services: Services, record: TaskRecord, known: Beside | None = None) -> TaskView:
    """The view of a task, without a look at the store unless ``known`` has what it told."""
    pool = services.pools.snapshot().by_uid(record.pool.uid)
    kept = known or Beside()
    return view_of(
        record,
        Beside(
            base=services.options.public_url,
            progress=services.hub.progress(record.id, record.pool.uid),
            outputs=kept.outputs,
            links=whole_links(kept.links),
            queue_position=kept.queue_position,
            expected_start_at=kept.expected_start_at,
            retention_seconds=None if pool is None else pool.retention_seconds,
        ),
    )


async def linked_answers(services: Services, records: Sequence[TaskRecord]) -> list[TaskView]:
    """Views of tasks with links to the results of those that have ended."""
    if not any(record.end is not None and record.end.outputs for record in records):
        return [answer_of(services, record) for record in records]
    links = await to_thread.run_sync(lambda: [_links(services, record) for record in records])
    return [
        answer_of(services, record, Beside(links=signed))
        for record, signed in zip(records, links, strict=True)
    ]


async def linked_answer(services: Services, record: TaskRecord) -> TaskView:
    """The same for one task."""
    (answer,) = await linked_answers(services, [record])
    return answer


async def full_answer(services: Services, record: TaskRecord) -> TaskView:
    """The view of a task with its place in the queue, the outputs that have landed, and links to them."""
    known = await to_thread.run_sync(_ask, services, record)
    return answer_of(services, record, known)


async def visible_task(services: Services, caller: Caller, task: str) -> TaskRecord:
    """A task that the caller may see; raises the Problem ``NotFound``, also where it is another one's."""
    record = await to_thread.run_sync(services.reader.get, task)
    if record is None or not caller.may_see(record.pool, record.owner):
        raise Problem("NotFound", f"there is no task {task[:64]!r}, or it is not yours.")
    return record


async def wait_for_end(
    services: Services, record: TaskRecord, seconds: float, may_know: Callable[[], Awaitable[bool]]
) -> TaskRecord:
    """The record when the task has ended, or after so many seconds.

    ``may_know`` is asked before it is told. Raises the Problem ``Unauthenticated`` where the caller's key was revoked,
    or its session ended, while it waited.
    """
    deadline = time.monotonic() + seconds
    with services.hub.watching(record.id, record.pool.uid) as watch:
        while True:
            watch.changed.clear()
            record = await newest(services, record)
            left = deadline - time.monotonic()
            if record.state is TaskState.ENDED or left <= 0 or watch.closed:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(watch.changed.wait(), left)
    if not await may_know():
        raise Problem(
            "Unauthenticated", "the API key was revoked, or the session ended, while the request waited."
        )
    return record


async def newest(services: Services, record: TaskRecord) -> TaskRecord:
    """The record as it is now; the same where it was deleted meanwhile."""
    found: TaskRecord | None = await to_thread.run_sync(services.reader.get, record.id)
    return found or record


def landed(events: list[StoredEvent], record: TaskRecord) -> tuple[Output, ...]:
    """Outputs that were stored by the attempt that runs."""
    now = record.position
    return tuple(
        Output.model_validate(event.data)
        for event in events
        if event.type == "output"
        and (event.data.get("run"), event.data.get("attempt")) == (now.run, now.attempt)
    )


def _ask(services: Services, record: TaskRecord) -> Beside:
    match record.state:
        case TaskState.ENDED:
            return Beside(links=_links(services, record))
        case TaskState.RUNNING:
            outputs = landed(services.reader.events(record.id), record)
            return Beside(outputs=outputs, links=services.links.sign(record.pool.uid, outputs))
        case _:
            return _place(services, record)


def _place(services: Services, record: TaskRecord) -> Beside:
    """Its place in the queue, and when it is expected to start."""
    lately = services.reader.ended_lately(record.pool.uid, limit=MEASURED)
    pool = services.pools.snapshot().by_uid(record.pool.uid)
    intake = None if pool is None or pool.spec is None else pool.spec.queue.intake
    if is_shared(intake, lately):
        return Beside()
    position = services.reader.queue_position(record.id)
    load = None
    if pool is not None and services.pools.outdated() is None:
        load = PoolLoad(pool.status.ready_replicas, pool.status.busy_replicas)
    return Beside(
        queue_position=position, expected_start_at=expected_start(position, load, lately, services.now())
    )


def _links(services: Services, record: TaskRecord) -> Mapping[str, Link]:
    return {} if record.end is None else services.links.sign(record.pool.uid, record.end.outputs)
