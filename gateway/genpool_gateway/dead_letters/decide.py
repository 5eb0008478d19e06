"""What is to be done with each message of a dead-letter queue. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from genpool_core import names
from genpool_core.identity import TaskRef
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.messages.base import SCHEMA_VERSION
from genpool_core.messages.copies import copy_of
from genpool_core.tasks.decode import TaskDelivery, decode


class Action(Enum):
    """What is asked for."""

    REPLAY = "replay"
    """Publish it to the work queue as a new run."""
    DISCARD = "discard"
    """Drop it."""


@dataclass(frozen=True)
class Selection:
    """Which dead letters of a pool; all where nothing is said."""

    tasks: frozenset[str] | None = None
    """Ids of tasks."""
    reason: str | None = None
    """Why they died: a constant in CamelCase."""


@dataclass(frozen=True)
class LetterQueues:
    """Where dead letters are, and where they came from."""

    queue: str
    dead_queue: str
    pool_uid: str


@dataclass(frozen=True)
class Letter:
    """A dead letter, and the task that it is; None for a message that is no task."""

    delivery: Delivery
    ref: TaskRef | None
    reason: str | None


@dataclass(frozen=True)
class Step:
    """What is published for a letter, before it is acknowledged; None: nothing."""

    letter: Letter
    publish: OutgoingMessage | None
    chosen: bool
    no_room: bool = False
    """It fits what was asked for, and is not chosen because its work queue is full."""


def read_letter(delivery: Delivery, pool_uid: str) -> Letter:
    """A dead letter, with what our programs wrote into its headers. Raises nothing."""
    decoded = decode(delivery, pool_uid)
    sender = delivery.properties.user_id
    believed = names.is_gateway_user(sender) or names.pool_of_user(sender) == pool_uid
    reason = headers.ours(delivery.headers, believed=believed).get(headers.REASON)
    return Letter(
        delivery,
        decoded.ref if isinstance(decoded, TaskDelivery) else None,
        reason if isinstance(reason, str) else None,
    )


def plan(
    letters: Sequence[Letter],
    selection: Selection,
    action: Action,
    queues: LetterQueues,
    take: Callable[[int], int] = lambda wanted: wanted,
) -> list[Step]:
    """A step for each letter, in order. A letter that was not chosen is published anew at the end of its queue.

    So the queue is as it was, but for those that were chosen: returned messages have no order. ``take``: of how many
    replays there is room for how many; the first ones are chosen.
    """
    fitting = sum(_fits(letter, selection) for letter in letters)
    left = take(fitting) if action is Action.REPLAY else fitting
    steps = []
    for letter in letters:
        fits = _fits(letter, selection)
        if not fits or left == 0:
            steps.append(Step(letter, _again(letter, queues.dead_queue), chosen=False, no_room=fits))
            continue
        left -= 1
        publish = _next_run(letter, queues) if action is Action.REPLAY else None
        steps.append(Step(letter, publish, chosen=True))
    return steps


def _next_run(letter: Letter, queues: LetterQueues) -> OutgoingMessage:
    run = 1 if letter.ref is None else letter.ref.run + 1
    own: dict[str, headers.HeaderValue] = {headers.SCHEMA: SCHEMA_VERSION}
    if run > 1:
        own[headers.RUN] = run
    copy = copy_of(letter.delivery, "", queues.queue, own, pool_uid=queues.pool_uid)
    # What was said of its death is not said of the new run.
    kept = {key: value for key, value in copy.headers.items() if key not in _OF_ITS_END}
    return replace(copy, headers=kept)


_OF_ITS_END = frozenset(
    {headers.REASON, headers.MESSAGE, headers.ATTEMPTS, headers.ENDED_AT, headers.EXPIRATION}
)


def _fits(letter: Letter, selection: Selection) -> bool:
    if selection.tasks is not None and (letter.ref is None or letter.ref.key not in selection.tasks):
        return False
    return selection.reason is None or letter.reason == selection.reason


def _again(letter: Letter, dead_queue: str) -> OutgoingMessage:
    """The same message in the same queue. All headers stay: our own are believed from the gateway's user too."""
    delivery = letter.delivery
    properties: Properties = replace(delivery.properties, user_id=None, expiration=None)
    return OutgoingMessage("", dead_queue, delivery.body, dict(delivery.headers), properties, verbatim=True)
