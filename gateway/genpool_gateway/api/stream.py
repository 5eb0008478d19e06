"""The events of a task as a stream (SSE): what is stored by its number, what passes as it comes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from anyio import to_thread

from genpool_core import timing
from genpool_core.errors import TaskStoreError
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import Output
from genpool_gateway.api.request_base import whole_links
from genpool_gateway.api.services import Services
from genpool_gateway.api.views import linked_answer
from genpool_gateway.events.hub import Watch
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState
from genpool_gateway.tasks.view import OutputView, output_view

#: Names of stored events for watchers; the others are a new status.
_NAMES = {"output": "output", "retried": "log"}


async def task_stream(
    services: Services, record: TaskRecord, after: int, may_watch: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """The stream from behind event ``after`` to the task's end, or until its watcher may watch no more.

    ``may_watch`` is asked each time before something is told. An ``after`` that the task does not have yet is none.
    """
    last, first = after, True
    with services.hub.watching(record.id, record.pool.uid) as watch:
        yield b"retry: 2000\n\n"
        while not watch.closed and (first or await may_watch()):
            if first or watch.stored:
                watch.stored = False
                try:
                    events, record = await to_thread.run_sync(_look, services, record, last)
                except TaskStoreError:
                    # The answer has begun, so no problem can be sent: the watcher comes again, and goes on behind
                    # what it saw.
                    return
                if events:
                    last = events[-1].number
                for event in events:
                    yield await _stored(services, record, event, newest=event is events[-1])
                if record.state is TaskState.ENDED:
                    return
            for part in _passing(watch, services.hub.progress(record.id, record.pool.uid) if first else None):
                yield part
            first = False
            watch.changed.clear()
            if watch.stored or watch.passing or watch.closed:
                continue
            try:
                async with asyncio.timeout(_silence(random.random())):  # noqa: S311 - spreads comments
                    await watch.changed.wait()
            except TimeoutError:
                yield b": still here\n\n"


def _silence(chance: float) -> float:
    """Seconds without a word before a comment: streams that began together, after a restart, do not speak together."""
    return timing.STREAM_COMMENT_SECONDS * (1.0 - 0.5 * chance)


def _passing(watch: Watch, progress: JsonObject | None) -> Iterator[bytes]:
    """What is not stored, the ``progress`` from before the watch first."""
    if progress is not None:
        yield _event("progress", progress)
    while watch.passing:
        kind, data = watch.passing.popitem(last=False)
        yield _event(kind, data)


def _look(services: Services, record: TaskRecord, after: int) -> tuple[list[StoredEvent], TaskRecord]:
    """Events that are new, and the task after them; the same task where it was deleted meanwhile."""
    events = services.reader.events(record.id, after=after)
    if not events and after and not services.reader.events(record.id, after=after - 1):
        # It has no event of this number: the watcher means another task, or the store was read back meanwhile.
        events = services.reader.events(record.id)
    found = (services.reader.get(record.id) if events else None) or record
    if events and found.state is TaskState.ENDED:
        # It may have ended since the first reading. The event of its end was stored in the same commit.
        events += services.reader.events(record.id, after=events[-1].number)
    return events, found


async def _stored(services: Services, record: TaskRecord, event: StoredEvent, *, newest: bool) -> bytes:
    name = _NAMES.get(event.type, "status")
    data: JsonObject = {"type": event.type, "time": event.time.isoformat()}
    if event.type == "output" and "key" in event.data:
        data |= {name: event.data[name] for name in ("run", "attempt")}
        view = await to_thread.run_sync(_landed, services, record, event)
        data["output"] = view.model_dump(mode="json")
    else:
        data |= event.data
    if name == "status" and newest:
        data["task"] = (await linked_answer(services, record)).model_dump(mode="json")
    return _event(name, data, number=event.number)


def _landed(services: Services, record: TaskRecord, event: StoredEvent) -> OutputView:
    output = Output.model_validate(event.data)
    links = whole_links(services.links.sign(record.pool.uid, [output]))
    return output_view(output, links.get(output.key))


def _event(name: str, data: JsonObject, *, number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {name}\ndata: {text}\n\n".encode()
