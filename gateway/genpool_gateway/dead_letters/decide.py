"""What is to be done with each message of a dead-letter queue. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from genpool_core import names
from genpool_core.identity import TaskRef
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_core.messages.base import SCHEMA_VERSION, PoolRef
from genpool_core.messages.copies import copy_of
from genpool_core.tasks.decode import TaskDelivery, decode
from genpool_gateway.pools.pool import Serving


class Action(Enum):
    """What is asked for."""

    REPLAY = "replay"
    """Publish it to the work queue as a new run."""
    DISCARD = "discard"
    """Drop it."""


@dataclass(frozen=True)
class Selection:
    """Which dead letters of a queue; all where nothing is said."""

    ids: frozenset[str] | None = None
    """Of tasks; of an intake's messages."""
    reason: str | None = None
    """Why they died: a constant in CamelCase."""


@dataclass(frozen=True)
class LetterQueues:
    """Where dead letters are, and where they came from."""

    broker: str
    vhost: str
    queue: str
    dead_queue: str
    pool: PoolRef | None
    """None: an intake's, whose messages are no pool's tasks."""

    @classmethod
    def of_pool(cls, serving: Serving) -> LetterQueues:
        """Those of a pool."""
        config = serving.config
        return cls(serving.broker, serving.vhost, serving.queue, config.dead_queue, config.pool)

    @classmethod
    def of_intake(cls, broker: str, vhost: str, intake: str) -> LetterQueues:
        """Those of an intake."""
        return cls(broker, vhost, intake, names.dead_queue(intake), None)

    @property
    def pool_uid(self) -> str | None:
        """The UID of the pool."""
        return None if self.pool is None else self.pool.uid


@dataclass(frozen=True)
class Letter:
    """A dead letter, and the task that it is; None for a message that is no task, or an intake's."""

    delivery: Delivery
    ref: TaskRef | None
    reason: str | None
    message: str | None
    """Why, in a sentence."""
    ended_at: str | None
    """When, as ISO 8601."""
    id: str | None
    """By which it is chosen: the task's, or the fingerprint of an intake's message."""
    believed: bool
    """Whether one of our programs wrote its headers."""


@dataclass(frozen=True)
class Step:
    """What is published for a letter, before it is acknowledged; None: nothing."""

    letter: Letter
    publish: OutgoingMessage | None
    chosen: bool
    no_room: bool = False
    """It fits what was asked for, and is not chosen because its work queue is full."""


def read_letter(delivery: Delivery, pool_uid: str | None) -> Letter:
    """A dead letter, with what our programs wrote into its headers. Raises nothing.

    ``pool_uid``: None for an intake.
    """
    sender = delivery.properties.user_id
    believed = names.is_gateway_user(sender) or (
        pool_uid is not None and names.pool_of_user(sender) == pool_uid
    )
    own = headers.ours(delivery.headers, believed=believed)
    decoded = None if pool_uid is None else decode(delivery, pool_uid)
    ref = decoded.ref if isinstance(decoded, TaskDelivery) else None
    return Letter(
        delivery,
        ref,
        headers.text(own, headers.REASON),
        headers.text(own, headers.MESSAGE),
        headers.text(own, headers.ENDED_AT),
        _fingerprint(delivery, own) if pool_uid is None else None if ref is None else ref.key,
        believed,
    )


def _fingerprint(delivery: Delivery, own: Mapping[str, headers.HeaderValue]) -> str:
    """The same for as long as a message is a dead letter; two equal ones of one moment share it."""
    parts = (delivery.properties.message_id or "", str(own.get(headers.ENDED_AT, "")))
    return hashlib.sha256(delivery.body + "\0".join(("", *parts)).encode(errors="replace")).hexdigest()[:40]


def plan(
    letters: Sequence[Letter],
    selection: Selection,
    action: Action,
    queues: LetterQueues,
    take: Callable[[int], int] = lambda wanted: wanted,
) -> list[Step]:
    """A step for each letter, in order.

    ``take``: of how many replays there is room for how many; the first ones are chosen.
    """
    fitting = sum(_fits(letter, selection) for letter in letters)
    left = take(fitting) if action is Action.REPLAY else fitting
    steps = []
    for letter in letters:
        fits = _fits(letter, selection)
        if not fits or left == 0:
            steps.append(Step(letter, None, chosen=False, no_room=fits))
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
    # An intake's message is no pool's yet, so that nobody's word about its owner and run is taken.
    copy = copy_of(letter.delivery, "", queues.queue, own, pool_uid=queues.pool_uid or "")
    if queues.pool is None:
        copy = replace(
            copy, headers={k: v for k, v in copy.headers.items() if k not in headers.OF_THE_GATEWAY}
        )
    # What was said of its death is not said of the new run.
    kept = {key: value for key, value in copy.headers.items() if key not in _OF_ITS_END}
    return replace(copy, headers=kept)


_OF_ITS_END = frozenset(
    {headers.REASON, headers.MESSAGE, headers.ATTEMPTS, headers.ENDED_AT, headers.EXPIRATION}
)


def _fits(letter: Letter, selection: Selection) -> bool:
    if selection.ids is not None and letter.id not in selection.ids:
        return False
    return selection.reason is None or letter.reason == selection.reason
