"""What becomes of a message of an intake. Pure.

=================================================================  ===================================================
the message                                                        goes
=================================================================  ===================================================
a task that the pool behind the intake accepts                     to the work queue of that pool
a task of a pool that is not behind the intake yet, or serves      into a delay step, and comes back
nothing now, or has not the workflow in force yet
no task; one that no pool serves; one that its pool refuses; one   to the dead-letter queue of the intake, with the
that expired while it waited for its pool                          reason
=================================================================  ===================================================

The checks are those of the workers, so nothing that a worker would refuse for its parameters wakes a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genpool_core.errors import TaskFailure
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.task import Shape, Task, parse_body, parse_task
from genpool_core.shown import shown
from genpool_core.tasks.check import validate
from genpool_gateway.intake.behind import Behind, Place
from genpool_gateway.intake.notes import NO_NOTES, Notes, notes_of
from genpool_gateway.pools.errors import NotServed, PoolUnavailable
from genpool_gateway.pools.pool import ServedPool, Serving

_SHOWN = 128


@dataclass(frozen=True)
class Publish:
    """To the work queue of a pool."""

    pool: ServedPool
    serving: Serving
    has_id: bool
    """Whether its producer gave it an id of any kind."""
    notes: Notes = NO_NOTES


@dataclass(frozen=True)
class PutAside:
    """Into a delay step: the pool that it is for does not take it now."""

    pool: ServedPool
    reason: str
    sentence: str
    has_id: bool
    notes: Notes = NO_NOTES


@dataclass(frozen=True)
class Refuse:
    """To the dead-letter queue of the intake. ``pool``: the one that refuses it, where it is for one."""

    reason: str
    sentence: str
    pool: ServedPool | None = None
    notes: Notes = NO_NOTES


Decision = Publish | PutAside | Refuse


def route(delivery: Delivery, behind: Behind, now: datetime) -> Decision:
    """Decide; raises nothing on purpose."""
    notes = notes_of(delivery)
    pool: ServedPool | None = None
    has_id = bool(delivery.properties.message_id)
    try:
        body = parse_body(delivery.body)
        task = parse_task(body)
        has_id = has_id or task.task_id is not None
        place = _place(task, body, behind)
        pool = place.pool
        if notes.expired(now):
            text = f"the task expired while it waited for pool {pool.name}: send it again."
            return Refuse("Expired", text, pool, notes)
        serving = _serving(place, task, behind)
        validate(body, serving.config, serving.catalog)
    except PoolUnavailable as error:
        assert pool is not None  # noqa: S101 - it is about a pool
        return PutAside(pool, error.reason, error.message, has_id, notes)
    except TaskFailure as failure:
        return Refuse(failure.reason, failure.message, pool, notes)
    return Publish(pool, serving, has_id, notes)


def most_waiting(pool: ServedPool) -> int | None:
    """How many tasks may wait in a pool's queue; None where there is no limit."""
    return None if pool.spec is None else pool.spec.queue.max_waiting


def put_aside(decision: Publish, reason: str, sentence: str) -> PutAside:
    """What becomes of a task whose pool would take it, when its queue does not."""
    return PutAside(decision.pool, reason, sentence, decision.has_id, decision.notes)


def _place(task: Task, body: JsonObject, behind: Behind) -> Place:
    """The pool for a task. Raises NotServed."""
    name = body.get("workflow_type") if task.shape is Shape.GRAPH else task.workflow
    known = ", ".join(behind.workflows)
    if not isinstance(name, str) or not name:
        if behind.fallback is None:
            raise NotServed(
                f"workflow_type is missing, and no pool behind intake {behind.queue} has a fallback: "
                f"send one of {known}.",
                parameter="workflow_type",
                expected={"enum": [*behind.workflows]},
            )
        return behind.fallback
    place = behind.by_name.get(name)
    if place is None:
        raise NotServed(
            f"workflow_type {name[:_SHOWN]!r} is served by no pool behind intake {behind.queue}. Workflows: {known}.",
            parameter="workflow_type",
            expected={"enum": [*behind.workflows]},
            sent=shown(name),
        )
    return place


def _serving(place: Place, task: Task, behind: Behind) -> Serving:
    """What the pool serves. Raises PoolUnavailable where it takes the task later."""
    pool, serving = place.pool, place.pool.serving
    if not place.ready:
        raise PoolUnavailable(f"pool {pool.name} is not behind intake {behind.queue} yet.")
    if serving is None:
        raise PoolUnavailable(f"pool {pool.name} takes no tasks: {pool.trouble}")
    catalog = serving.catalog
    served = catalog.fallback if task.workflow is None else catalog.find(task.workflow)
    if served is None and task.shape is not Shape.GRAPH:
        what = "its fallback" if task.workflow is None else task.workflow[:_SHOWN]
        raise PoolUnavailable(f"pool {pool.name} does not serve {what} yet: its workers do not know it.")
    return serving
