"""Tasks that are known: one, a list, its events, its cancellation."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from genpool_gateway.api.accept import WaitSeconds
from genpool_gateway.api.audit import audit
from genpool_gateway.api.callers import AnyCaller, is_still
from genpool_gateway.api.cursors import cursor_after, read_cursor
from genpool_gateway.api.numbers import Plain
from genpool_gateway.api.problems import CONFLICT, PROBLEMS
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.api.stream import task_stream
from genpool_gateway.api.views import full_answer, linked_answer, linked_answers, visible_task, wait_for_end
from genpool_gateway.keys.access import Caller
from genpool_gateway.tasks.ports import TaskQuery
from genpool_gateway.tasks.record import TaskRecord, TaskState
from genpool_gateway.tasks.status import Status, of_status
from genpool_gateway.tasks.view import TaskView

router = APIRouter(tags=["tasks"], responses=PROBLEMS)
TaskId = Annotated[
    str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f]+$", description="The task's id.")
]


class TaskPage(BaseModel):
    """A page of tasks, the newest first."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tasks: list[TaskView]
    """The tasks."""
    next: str | None = None
    """Cursor of the next page; null at the end."""


@router.get("/tasks", summary="List tasks")
async def list_tasks(  # noqa: PLR0913, PLR0917 - its filters
    request: Request,
    caller: AnyCaller,
    status: Annotated[list[Status] | None, Query(description="Only with one of these.")] = None,
    pool: Annotated[str | None, Query(max_length=320, description="`namespace/name` of a pool.")] = None,
    workflow: Annotated[str | None, Query(max_length=128)] = None,
    task_id: Annotated[str | None, Query(max_length=512, description="The producer's word.")] = None,
    search: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="A part of a parameter, of the metadata or of an id; among the newest 20,000 tasks.",
        ),
    ] = None,
    cursor: Annotated[str | None, Query(max_length=256, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200), Plain] = 50,
) -> TaskPage:
    """Tasks that the caller may see."""
    services = services_of(request)
    states, outcomes, asked = _filter(status or [])
    query = TaskQuery(
        pools=pools_to_list(services, caller, pool),
        owner=None if caller.sees_all else caller.id,
        states=states,
        outcomes=outcomes,
        cancel_requested=asked,
        workflow=workflow,
        task_id=task_id,
        search=search,
        before=None if cursor is None else read_cursor(cursor),
        limit=limit,
    )
    return await task_page(services, query)


async def task_page(services: Services, query: TaskQuery) -> TaskPage:
    """The page that a query finds."""
    found = await to_thread.run_sync(services.reader.find, query)
    return TaskPage(
        tasks=await linked_answers(services, found),
        next=cursor_after(found[-1]) if len(found) == query.limit else None,
    )


@router.get("/tasks/{task}", summary="Get a task")
async def get_task(request: Request, task: TaskId, caller: AnyCaller, wait: WaitSeconds = None) -> TaskView:
    """A task, with its place in the queue, its progress, its results."""
    services = services_of(request)
    record = await visible_task(services, caller, task)
    if wait and record.state is not TaskState.ENDED:
        record = await wait_for_end(services, record, wait, partial(is_still, request, caller))
    return await full_answer(services, record)


@router.get(
    "/tasks/{task}/events",
    summary="Watch a task",
    response_class=StreamingResponse,
    responses={200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}},
)
async def watch_task(
    request: Request,
    task: TaskId,
    caller: AnyCaller,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> StreamingResponse:
    """Events as they happen: `status`, `progress`, `preview`, `output`, `log`. Ends when the task has ended.

    `Last-Event-ID` goes on behind an event that was seen.
    """
    services = services_of(request)
    record = await visible_task(services, caller, task)
    after = _number(last_event_id)
    return StreamingResponse(
        task_stream(services, record, after, partial(is_still, request, caller)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _number(event_id: str | None) -> int:
    """The number in a Last-Event-ID; 0 where it is none of ours. No task has more events than a column holds."""
    if not event_id or not event_id.isascii() or not event_id.isdigit():
        return 0
    return min(int(event_id), 2**31 - 1)


@router.post(
    "/tasks/{task}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    summary="Cancel a task",
    responses={
        200: {"model": TaskView, "description": "The task has ended, and stays as it is"},
        **CONFLICT,
    },
)
async def cancel_task(request: Request, response: Response, task: TaskId, caller: AnyCaller) -> TaskView:
    """End a task, queued or running. 202: it will end, as `canceled` unless its own end was there first.

    The same however often. A task that waits has its end within seconds, also where no worker is up.
    """
    services = services_of(request)
    record = await visible_task(services, caller, task)
    if record.state is not TaskState.ENDED:
        await to_thread.run_sync(services.ends.require, record)
        record = await to_thread.run_sync(_request_cancel, services, caller, record)
        services.look_at_ends()
    if record.state is TaskState.ENDED:
        response.status_code = HTTPStatus.OK
    return await linked_answer(services, record)


def _request_cancel(services: Services, caller: Caller, record: TaskRecord) -> TaskRecord:
    found = services.events.request_cancel(record.id, services.now()) or record
    if record.cancel_requested_at is None and found.cancel_requested_at is not None:
        audit(services, caller, "task.canceled", record.id)
    return found


def _filter(status: list[Status]) -> tuple[frozenset[TaskState], frozenset[str], bool | None]:
    states: frozenset[TaskState] = frozenset()
    outcomes: frozenset[str] = frozenset()
    asked: set[bool] = set()
    for name in status:
        some_states, some_outcomes, some_asked = of_status(name)
        states |= some_states
        outcomes |= some_outcomes
        if some_states:
            asked.add(some_asked)
    return states, outcomes, asked.pop() if len(asked) == 1 else None


def pools_to_list(services: Services, caller: Caller, name: str | None) -> frozenset[str] | None:
    """UIDs to list; None: all."""
    pools = services.pools.snapshot().visible_to(caller.pools)
    if name is not None:
        return frozenset({pools.find(name).ref.uid})
    return None if caller.pools is None else frozenset(pool.ref.uid for pool in pools.pools)
