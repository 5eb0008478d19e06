"""Accepting: ``POST /v1/tasks`` and its batch."""

from __future__ import annotations

import asyncio
import re
import uuid
from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from genpool_core import timing
from genpool_core.errors import GenPoolError
from genpool_core.jsontypes import JsonObject
from genpool_gateway.accepting.in_flight import Accepting, Outcome
from genpool_gateway.accepting.refusals import Unconfirmed
from genpool_gateway.accepting.set_apart import Apart, set_apart
from genpool_gateway.api.bodies import JsonRoute
from genpool_gateway.api.callers import AnyCaller, is_still
from genpool_gateway.api.document import link
from genpool_gateway.api.inputs import keep_inputs
from genpool_gateway.api.numbers import Plain
from genpool_gateway.api.problem_view import ProblemView
from genpool_gateway.api.problems import BODY_PROBLEMS, CONFLICT, PROBLEMS, Problem, problem_of
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.api.submission import (
    IdempotencyKey,
    SubmitTask,
    SubmitTasks,
    as_wanted,
    new_task,
)
from genpool_gateway.api.uploaded import require_uploads
from genpool_gateway.api.views import linked_answer, wait_for_end
from genpool_gateway.keys.access import Caller
from genpool_gateway.pools.check import check_request
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import TaskRecord, TaskState
from genpool_gateway.tasks.view import TaskView

router = APIRouter(tags=["tasks"], responses=PROBLEMS | BODY_PROBLEMS, route_class=JsonRoute)
_WAIT = re.compile(r"""[ \t]*wait[ \t]*=[ \t]*("?)([0-9]+)\1[ \t]*(;.*)?""", re.IGNORECASE)
WaitSeconds = Annotated[
    float | None,
    Query(ge=0, le=timing.WAIT_ANSWER_SECONDS, description="Wait so many seconds for the task's end."),
    Plain,
]


class ResultView(BaseModel):
    """What became of one task of several."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: int
    """What it would have been answered with by itself."""
    task: TaskView | None = None
    """The task; left out where it was refused."""
    problem: ProblemView | None = None
    """Why it was refused."""


class Results(BaseModel):
    """What became of several tasks, in their order."""

    results: list[ResultView]


@router.post(
    "/tasks",
    status_code=HTTPStatus.ACCEPTED,
    summary="Send a task",
    responses={
        200: {"model": TaskView, "description": "The task has ended (sent before, or waited for)"},
        202: {
            "description": "The task is in its queue",
            "links": link("get_task", task="$response.body#/id"),
        },
        **CONFLICT,
    },
)
async def submit_task(  # noqa: PLR0913, PLR0917 - a request's parts
    request: Request,
    response: Response,
    sent: SubmitTask,
    caller: AnyCaller,
    idempotency_key: Annotated[IdempotencyKey | None, Header()] = None,
    prefer: Annotated[str | None, Header(description="`wait=30` waits for the end.")] = None,
    wait: WaitSeconds = None,
) -> TaskView:
    """Accept a task. 202 means that it is in its queue: it will be done once, or end with a reason.

    The same `task_id` with the same contents is one task, however often it is sent: options that a repeat names must be
    those of the first time (409 `TaskIdReused`). One whose contents were deleted is not done again (409 `TaskErased`).
    """
    seconds = preferred_wait(prefer) if wait is None else wait
    services = services_of(request)
    record = (await accept(services, sent, caller, idempotency_key)).record
    if seconds and record.state is not TaskState.ENDED:
        record = await wait_for_end(services, record, seconds, partial(is_still, request, caller))
    view, response.status_code = await accepted_view(services, record)
    return view


async def accepted_view(services: Services, record: TaskRecord) -> tuple[TaskView, int]:
    """The answer with a task that was accepted, and its status."""
    status = HTTPStatus.OK if record.state is TaskState.ENDED else HTTPStatus.ACCEPTED
    return await linked_answer(services, record), status


@router.post(
    "/tasks/batch",
    status_code=HTTPStatus.OK,
    summary="Send several tasks",
    responses={200: {"model": Results}},
)
async def submit_tasks(request: Request, sent: SubmitTasks, caller: AnyCaller) -> Response:
    """Accept at most 1,000 tasks, each by itself: ``results`` has, in order, the task or the problem of each."""
    services = services_of(request)
    if "idempotency-key" in request.headers:
        text = "a batch has no Idempotency-Key: give each task a task_id, by which it is known when it is sent again."
        raise Problem("InvalidRequest", text)
    results = await asyncio.gather(*(_result(services, task, caller) for task in sent.tasks))
    return JSONResponse({"results": list(results)})


@router.api_route("/tasks/batch", methods=["GET", "DELETE"], include_in_schema=False)
async def no_task() -> Response:
    """``batch`` is no task's id."""
    raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)


async def accept(services: Services, sent: SubmitTask, caller: Caller, key: str | None) -> Outcome:
    """Accept a task, and count what became of it. Raises a Problem or a GenPoolError."""
    try:
        outcome = await _confirmed(services, await _submit(services, sent, caller, key))
    except (Problem, GenPoolError) as refusal:
        services.metrics.refused(refusal.reason)
        raise
    if not outcome.repeated:
        pool = outcome.record.pool
        services.metrics.accepted(f"{pool.namespace}/{pool.name}")
    return outcome


async def _submit(services: Services, sent: SubmitTask, caller: Caller, key: str | None) -> Accepting:
    """Check a task and hand it to the acceptor. Raises a Problem or a GenPoolError."""
    if sent.is_large():
        apart, task = await to_thread.run_sync(_checked, services, sent, caller, key, limiter=services.large)
    else:
        apart, task = _checked(services, sent, caller, key)
    full = services.limits.take(apart.checked.pool)
    if full is not None and key is None and sent.task_id is None:
        raise full
    await require_uploads(services, task, apart.checked)
    await keep_inputs(services, task, apart, full, caller.max_queued)
    # One that may have been sent before is looked for, whatever the queue: its sender waits to hear of it.
    return services.acceptor.submit(task, cap=caller.max_queued, full=full)


async def _confirmed(services: Services, accepting: Accepting) -> Outcome:
    try:
        return await services.bridge.result(accepting, timing.ACCEPT_CONFIRM_SECONDS)
    except TimeoutError:
        raise Unconfirmed(
            "neither database nor broker have confirmed the task in time. If it was stored, it is settled later: ask "
            "for it by its id, or send it again under the same Idempotency-Key.",
            task=accepting.task,
        ) from None


def _checked(services: Services, sent: SubmitTask, caller: Caller, key: str | None) -> tuple[Apart, NewTask]:
    """Check a task, and make what is stored of it."""
    pools = services.pools.snapshot().visible_to(caller.pools)
    checked = check_request(pools, sent.request(), new_id=str(uuid.uuid4()), owner=caller.id)
    apart = set_apart(as_wanted(sent, checked), caller.id)
    return apart, new_task(sent, apart.checked, caller.id, services.now(), key=key)


async def _result(services: Services, sent: SubmitTask, caller: Caller) -> JsonObject:
    try:
        outcome = await accept(services, sent, caller, None)
    except Problem as problem:
        return _refused(problem)
    except GenPoolError as error:
        return _refused(problem_of(error))
    ended = outcome.record.state is TaskState.ENDED
    view = await linked_answer(services, outcome.record)
    return {"status": 200 if ended else 202, "task": view.model_dump(mode="json")}


def _refused(problem: Problem) -> JsonObject:
    return {"status": problem.status, "problem": problem.body()}


def preferred_wait(header: str | None) -> float:
    """Seconds of ``wait`` in a Prefer header (RFC 7240), which may be quoted; 0 without one."""
    for part in (header or "").split(","):
        found = _WAIT.fullmatch(part)
        if found is not None:
            return min(float(found[2]), timing.WAIT_ANSWER_SECONDS)
    return 0.0
