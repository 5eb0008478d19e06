"""Dead letters of intakes: messages that became no pool's task. They are in no store, so their queue itself is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from genpool_gateway.api.audit import audit
from genpool_gateway.api.bodies import JsonRoute
from genpool_gateway.api.callers import AnyCaller
from genpool_gateway.api.dead_letters import ACTIONS, Choice, of_reason, require_operator
from genpool_gateway.api.letter_views import DeadMessage, dead_message
from genpool_gateway.api.numbers import Plain
from genpool_gateway.api.problems import BODY_PROBLEMS, PROBLEMS, Problem
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.dead_letters.decide import Action, Letter, LetterQueues, Selection
from genpool_gateway.dead_letters.work import Done
from genpool_gateway.intake.behind import Behind, intake_of, intakes
from genpool_gateway.keys.access import Caller

router = APIRouter(tags=["dead letters"], responses=PROBLEMS, route_class=JsonRoute)
LetterId = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class IntakeLettersWanted(Choice):
    """Which dead letters of the intake before a pool: some, those with one reason, or all."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"pool": "photos/people", "reason": "WorkflowUnknown"}]},
    )

    pool: Annotated[str, Field(min_length=1, max_length=320)]
    """``namespace/name`` of a pool behind the intake, or the name where there is one of it."""
    letters: Annotated[list[LetterId], Field(min_length=1, max_length=10_000)] | None = None
    """Ids of dead letters, from their list."""

    def chosen(self) -> list[str] | None:
        """Those named by themselves."""
        return self.letters


class IntakeLetter(DeadMessage):
    """A message of an intake that became no task."""

    id: str
    """By which it is replayed or discarded. Messages that are equal in everything share it."""


class IntakeLetters(BaseModel):
    """Dead letters of an intake."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    intake: str
    """Name of the intake's queue."""
    pools: list[str]
    """The pools behind it, as ``namespace/name``."""
    workflows: list[str]
    """The workflows that are served behind it now."""
    letters: list[IntakeLetter]
    """The oldest dead letters, at most ``limit``."""
    more: bool
    """Whether there are more than these."""


class IntakeLettersDone(BaseModel):
    """What was done."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    letters: list[str]
    """Ids of the dead letters that were replayed or discarded."""
    missing: list[str]
    """Ids that were asked for, and that were not among those that the pass held."""
    kept: int
    """Dead letters that stay, in their order."""
    more: bool
    """Whether there are others behind these: a pass holds 100,000 messages, or 256 MiB. Those that stay are put behind
    them, so ask again."""


@dataclass(frozen=True)
class _Intake:
    behind: Behind
    queues: LetterQueues

    @property
    def pools(self) -> list[str]:
        return sorted(pool.name for pool in self.behind.pools)


@router.get("/dead-letters/intake", summary="List dead letters of an intake")
async def list_intake_letters(
    request: Request,
    caller: AnyCaller,
    pool: Annotated[str, Query(min_length=1, max_length=320, description="A pool behind the intake.")],
    limit: Annotated[int, Query(ge=1, le=500), Plain] = 100,
) -> IntakeLetters:
    """The oldest messages that became no pool's task, and why.

    The queue is read for it: they go back afterwards, and their order among themselves may change.
    """
    services = services_of(request)
    intake = _intake(services, caller, pool)
    found, more = await services.slow.run(lambda: services.dead_letters.look(intake.queues, limit))
    return IntakeLetters(
        intake=intake.queues.queue,
        pools=intake.pools,
        workflows=list(intake.behind.workflows),
        letters=[_view(letter) for letter in found],
        more=more,
    )


@router.post(
    "/dead-letters/intake/replay", summary="Replay dead letters of an intake", responses=BODY_PROBLEMS
)
async def replay_intake_letters(
    request: Request, wanted: IntakeLettersWanted, caller: AnyCaller
) -> IntakeLettersDone:
    """Put them into the intake again, as their producer sent them; what is still refused comes back."""
    return await _apply(services_of(request), wanted, caller, Action.REPLAY)


@router.post(
    "/dead-letters/intake/discard", summary="Discard dead letters of an intake", responses=BODY_PROBLEMS
)
async def discard_intake_letters(
    request: Request, wanted: IntakeLettersWanted, caller: AnyCaller
) -> IntakeLettersDone:
    """Drop them for good."""
    return await _apply(services_of(request), wanted, caller, Action.DISCARD)


async def _apply(
    services: Services, wanted: IntakeLettersWanted, caller: Caller, action: Action
) -> IntakeLettersDone:
    intake = _intake(services, caller, wanted.pool)
    asked = frozenset(wanted.letters or ())
    selection = Selection(asked if wanted.letters is not None else None, wanted.reason)

    def work() -> Done:
        done = services.dead_letters.apply(intake.queues, selection, action)
        subject = f"intake {intake.queues.queue} before {', '.join(intake.pools)}: {len(done.tasks)}"
        audit(services, caller, ACTIONS[action], subject + of_reason(wanted.reason))
        return done

    done = await services.slow.run(work)
    return IntakeLettersDone(
        letters=done.tasks, missing=sorted(asked - set(done.tasks)), kept=done.kept, more=done.more
    )


def _intake(services: Services, caller: Caller, name: str) -> _Intake:
    """The intake before a pool, for a caller who may use all pools behind it; raises a Problem."""
    require_operator(caller)
    directory = services.pools.snapshot()
    pool = directory.visible_to(caller.pools).find(name)
    place = intake_of(pool)
    behind = None if place is None else intakes(directory).get(place)
    if place is None or behind is None:
        raise Problem(
            "NotFound", f"pool {pool.name} has no intake in force: its condition IntakeReady says why."
        )
    if not all(caller.may_use(each.ref) for each in behind.pools):
        text = f"intake {place[2]} is before other pools too, which key {caller.name!r} is not for."
        raise Problem("Forbidden", text)
    return _Intake(behind, LetterQueues.of_intake(*place))


def _view(letter: Letter) -> IntakeLetter:
    return IntakeLetter(id=letter.id or "", **dead_message(letter).model_dump())
