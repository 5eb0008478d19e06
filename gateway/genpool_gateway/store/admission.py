"""What becomes of each task of a group that is to be accepted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genpool_gateway.tasks.options import differing
from genpool_gateway.tasks.ports import Acceptance, NewTask
from genpool_gateway.tasks.record import TaskRecord

#: Owner, UID of the pool, key.
IdempotencyScope = tuple[str, str, str]


@dataclass(frozen=True)
class Known:
    """What the store has, of what a group may meet."""

    tasks: Mapping[str, TaskRecord] = field(default_factory=dict)
    """By id; also those that are promised."""
    promises: Mapping[IdempotencyScope, tuple[str, str]] = field(default_factory=dict)
    """Digest and task of the idempotency keys in force."""
    unfinished: Mapping[str, int] = field(default_factory=dict)
    """Tasks of the owners that have a cap."""


@dataclass(frozen=True)
class Admission:
    """What becomes of one task."""

    acceptance: Acceptance
    task: str | None
    """Id of the task that stands for it; None where it is refused."""
    promises: bool = False
    """Its idempotency key is new, and is to be kept."""


def scope_of(new: NewTask) -> IdempotencyScope | None:
    """Where its idempotency key counts."""
    if new.idempotency is None or new.record.owner is None:
        return None
    return new.record.owner, new.record.pool.uid, new.idempotency.key


def admit(group: Sequence[NewTask], known: Known, caps: Mapping[str, int]) -> list[Admission]:
    """Decide for each, in order: what one of the group makes is known to those after it."""
    tasks, promises, unfinished = dict(known.tasks), dict(known.promises), dict(known.unfinished)
    admissions = []
    for new in group:
        admission = _admit(new, Known(tasks, promises, unfinished), caps)
        admissions.append(admission)
        scope, owner = scope_of(new), new.record.owner
        if admission.promises and scope is not None and new.idempotency is not None:
            promises[scope] = (new.idempotency.digest, new.record.id)
        if admission.acceptance is Acceptance.CREATED:
            tasks[new.record.id] = new.record
            if owner is not None:
                unfinished[owner] = unfinished.get(owner, 0) + 1
    return admissions


def _admit(new: NewTask, known: Known, caps: Mapping[str, int]) -> Admission:
    scope, owner, task = scope_of(new), new.record.owner, new.record.id
    promise = None if scope is None else known.promises.get(scope)
    if promise is not None and new.idempotency is not None:
        digest, promised = promise
        if digest != new.idempotency.digest:
            return Admission(Acceptance.OTHER_REQUEST, promised)
        return Admission(Acceptance.ERASED if _is_erased(known, promised) else Acceptance.SAME, promised)
    if task in known.tasks:
        return _repeat(new, known.tasks[task])
    if not new.room:
        return Admission(Acceptance.NO_ROOM, None)
    if owner is not None and owner in caps and known.unfinished.get(owner, 0) >= caps[owner]:
        return Admission(Acceptance.OVER_CAP, None)
    return Admission(Acceptance.CREATED, task, promises=scope is not None)


def _repeat(new: NewTask, standing: TaskRecord) -> Admission:
    if standing.erased_at is not None:
        return Admission(Acceptance.ERASED, standing.id)
    if differing(new.given, new.record, standing):
        return Admission(Acceptance.OTHER_OPTIONS, standing.id)
    return Admission(Acceptance.SAME, standing.id, promises=scope_of(new) is not None)


def _is_erased(known: Known, task: str) -> bool:
    return task in known.tasks and known.tasks[task].erased_at is not None
