"""What may be done with a task that has ended: a new run, its callback again, deletion."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from genpool_gateway.api.audit import audit
from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.problems import CONFLICT, PROBLEMS
from genpool_gateway.api.services import services_of
from genpool_gateway.api.tasks import TaskId
from genpool_gateway.api.views import full_answer, newest, visible_task
from genpool_gateway.tasks.view import TaskView

router = APIRouter(tags=["tasks"], responses={**PROBLEMS, **CONFLICT})


class CallbackReplayed(BaseModel):
    """A callback that is on its way again."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    webhook_id: str
    """Its ``webhook-id``, the same as before: a receiver that has it drops the repeat."""


@router.post("/tasks/{task}/replay", status_code=HTTPStatus.ACCEPTED, summary="Do a task again")
async def replay_task(request: Request, task: TaskId, caller: AnyCaller) -> TaskView:
    """A new run of a task that has ended, with the same parameters, under the same id.

    It counts as one more task of its owner: where the owner asks for it, the key's `max_queued` holds. It needs room in
    its queue too (`queue.maxWaiting`).
    """
    services = services_of(request)
    record = await visible_task(services, caller, task)
    pools = services.pools.snapshot()

    def replay() -> None:
        # The limit of what an owner may ask for; an operator's replay of another's task is not asked for by the owner.
        services.replayer.replay(record, pools, cap=caller.max_queued if record.owner == caller.id else None)
        audit(services, caller, "task.replayed", task)

    await services.replays.run(replay)
    return await full_answer(services, await newest(services, record))


@router.post(
    "/tasks/{task}/callbacks/replay", status_code=HTTPStatus.ACCEPTED, summary="Send a task's callback again"
)
async def replay_callback(request: Request, task: TaskId, caller: AnyCaller) -> CallbackReplayed:
    """The callback of a task's end once more, under the same `webhook-id`, with new links."""
    services = services_of(request)
    record = await visible_task(services, caller, task)

    def replay() -> str:
        webhook_id = services.callback_replay.replay(record)
        audit(services, caller, "callback.replayed", task)
        return webhook_id

    return CallbackReplayed(webhook_id=await services.slow.run(replay))


@router.delete("/tasks/{task}", summary="Delete a task's contents")
async def delete_task(request: Request, task: TaskId, caller: AnyCaller) -> TaskView:
    """Deletes what a task was given and what it made, also in the bucket and among the dead letters.

    How it ended stays. Twice equals once.
    """
    services = services_of(request)
    record = await visible_task(services, caller, task)

    def erase() -> None:
        services.eraser.erase(record)
        audit(services, caller, "task.deleted", task)

    await services.slow.run(erase)
    return await full_answer(services, await newest(services, record))
