"""Dead letters, for operators and administrators: listed from the store, replayed and discarded in the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from genpool_core.reasons import CODES
from genpool_gateway.api.audit import audit
from genpool_gateway.api.bodies import JsonRoute
from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.cursors import read_cursor
from genpool_gateway.api.letter_views import DeadMessage, dead_message
from genpool_gateway.api.numbers import Plain
from genpool_gateway.api.problems import BODY_PROBLEMS, PROBLEMS, Problem
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.api.tasks import TaskPage, pools_to_list, task_page
from genpool_gateway.dead_letters.decide import Action, LetterQueues, Selection
from genpool_gateway.dead_letters.work import Done
from genpool_gateway.keys.access import Caller
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.tasks.ports import TaskQuery

router = APIRouter(tags=["dead letters"], responses=PROBLEMS, route_class=JsonRoute)
#: As the audit log names them.
ACTIONS = {Action.REPLAY: "dead-letters.replayed", Action.DISCARD: "dead-letters.discarded"}
TaskKey = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class Choice(BaseModel):
    """Which dead letters: some, those with one reason, or all."""

    reason: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Why they died: a constant in CamelCase."""
    all: Annotated[bool, Field(strict=True)] = False
    """All dead letters, whatever they are."""

    def chosen(self) -> list[str] | None:
        """Those named by themselves."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not self.all and self.chosen() is None and self.reason is None:
            raise ValueError("say which: by their ids, by a reason, or all: true")
        if self.all and (self.chosen() is not None or self.reason is not None):
            raise ValueError("all goes with neither ids nor reason")
        return self


class LettersWanted(Choice):
    """Which dead letters of a pool: some tasks', those with one reason, or all."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"pool": "art/text", "reason": "NodeFailed"}]},
    )

    pool: Annotated[str, Field(min_length=1, max_length=320)]
    """``namespace/name``, or the name where there is one of it."""
    tasks: Annotated[list[TaskKey], Field(min_length=1, max_length=10_000)] | None = None
    """Ids of tasks."""

    def chosen(self) -> list[str] | None:
        """Those named by themselves."""
        return self.tasks


class LettersDone(BaseModel):
    """What was done."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tasks: list[str]
    """Ids of the tasks whose dead letters were replayed or discarded."""
    missing: list[str]
    """Ids that were asked for, and whose dead letter was not among those that the pass held."""
    others: int
    """Messages among them that were no task."""
    kept: int
    """Dead letters that stay, in their order."""
    more: bool
    """Whether there are others behind these: a pass holds 100,000 messages, or 256 MiB. Those that stay are put behind
    them, so ask again."""
    no_room: int
    """Those among them that were to be replayed, and for which the work queue has no room (``queue.maxWaiting``):
    replay them later."""


class DeadMessages(BaseModel):
    """Messages of a pool's dead-letter queue that are no tasks."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    queue: str
    """Name of the dead-letter queue."""
    messages: list[DeadMessage]
    """The oldest of them, at most ``limit``."""
    total: int
    """How many there are."""
    more: bool
    """Whether there are messages behind those that a pass holds: 100,000, or 256 MiB."""


@router.get("/dead-letters", summary="List dead letters")
async def list_dead_letters(
    request: Request,
    caller: AnyCaller,
    pool: Annotated[str | None, Query(max_length=320, description="`namespace/name` of a pool.")] = None,
    reason: Annotated[str | None, Query(max_length=128, description="Constant in CamelCase.")] = None,
    cursor: Annotated[str | None, Query(max_length=256, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200), Plain] = 50,
) -> TaskPage:
    """Tasks that failed for good, the newest first. The queue itself is not read: that would disturb its order."""
    services = services_of(request)
    query = TaskQuery(
        pools=pools_to_list(services, caller, pool),
        owner=None if caller.sees_all else caller.id,
        outcomes={"dead"},
        discarded=False,
        reason=reason,
        before=None if cursor is None else read_cursor(cursor),
        limit=limit,
    )
    return await task_page(services, query)


@router.get("/dead-letters/messages", summary="List dead messages that are no tasks")
async def list_dead_messages(
    request: Request,
    caller: AnyCaller,
    pool: Annotated[str, Query(min_length=1, max_length=320, description="`namespace/name` of a pool.")],
    limit: Annotated[int, Query(ge=1, le=500), Plain] = 100,
) -> DeadMessages:
    """Messages of which no task could be made, so that nothing else lists them: no JSON, or not what a task says.

    The queue is read for it, and all go back to their places. `POST /v1/dead-letters/discard` with their `reason` drops
    them.
    """
    services = services_of(request)
    queues = _queues(_own_pool(services, caller, pool))
    found, more = await services.slow.run(lambda: services.dead_letters.strangers(queues))
    messages = [dead_message(letter) for letter in found[:limit]]
    return DeadMessages(queue=queues.dead_queue, messages=messages, total=len(found), more=more)


@router.post("/dead-letters/replay", summary="Replay dead letters", responses=BODY_PROBLEMS)
async def replay_dead_letters(request: Request, wanted: LettersWanted, caller: AnyCaller) -> LettersDone:
    """Put dead letters into their work queue as new runs. Each is published before it is taken off its own queue.

    As many as the queue has room for (`queue.maxWaiting`), the oldest first; 429 where it is full.
    """
    return await _apply(services_of(request), wanted, caller, Action.REPLAY)


@router.post("/dead-letters/discard", summary="Discard dead letters", responses=BODY_PROBLEMS)
async def discard_dead_letters(request: Request, wanted: LettersWanted, caller: AnyCaller) -> LettersDone:
    """Drop dead letters for good. Their tasks stay, as failed."""
    return await _apply(services_of(request), wanted, caller, Action.DISCARD)


async def _apply(services: Services, wanted: LettersWanted, caller: Caller, action: Action) -> LettersDone:
    pool = _own_pool(services, caller, wanted.pool)
    queues = _queues(pool)
    full = services.limits.full(pool) if action is Action.REPLAY else None
    if full is not None:
        raise full
    selection = Selection(None if wanted.tasks is None else frozenset(wanted.tasks), wanted.reason)

    def work() -> Done:
        done = services.dead_letters.apply(
            queues,
            selection,
            action,
            lambda wanted: services.limits.take_some(pool, wanted),
        )
        if action is Action.DISCARD:
            services.events.discard(done.tasks, services.now())
        subject = f"{pool.name}: {len(done.tasks) + done.others}"
        audit(services, caller, ACTIONS[action], subject + of_reason(wanted.reason))
        return done

    run: Callable[[], Done] = work
    done = await services.slow.run(run)
    asked = frozenset() if wanted.tasks is None else frozenset(wanted.tasks)
    found = {*done.tasks, *done.no_room}
    return LettersDone(
        tasks=done.tasks,
        missing=sorted(asked - found),
        others=done.others,
        kept=done.kept,
        more=done.more,
        no_room=len(done.no_room),
    )


def _own_pool(services: Services, caller: Caller, name: str) -> ServedPool:
    """A pool whose dead letters a caller may deal with; raises a Problem, or what says that there is none."""
    require_operator(caller)
    return services.pools.snapshot().visible_to(caller.pools).find(name)


def _queues(pool: ServedPool) -> LetterQueues:
    return LetterQueues.of_pool(require_serving(pool))


def require_operator(caller: Caller) -> None:
    """Raise the Problem ``Forbidden`` for a user."""
    if not caller.sees_all:
        text = f"key {caller.name!r} has the role {caller.role}: this needs the role operator or admin."
        raise Problem("Forbidden", text)


def of_reason(reason: str | None) -> str:
    """A reason in the audit log, as far as it is one of ours."""
    return f", reason {reason}" if reason in CODES else ""
