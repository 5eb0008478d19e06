"""The messages that follow from a decision: the producer's message as it came, but for GenPool's headers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from genpool_core import names
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_core.messages.announcements import event_message
from genpool_core.messages.base import SCHEMA_VERSION
from genpool_core.messages.copies import copy_of, reason_headers
from genpool_core.messages.events import MessageRejected
from genpool_gateway.intake.route import Decision, Publish, PutAside, Refuse

#: A copy is no pool's, so that a worker knows its task as it knows any plain producer's.
_NO_POOL = ""


def message_for(
    decision: Decision, delivery: Delivery, intake: str, now: datetime, *, new_id: str
) -> OutgoingMessage:
    """The copy that takes the place of a delivery. ``new_id``: for a task that has none."""
    match decision:
        case Publish():
            return _to_pool(decision, delivery, now, new_id)
        case PutAside():
            return _to_delay_step(decision, delivery, intake, now, new_id)
        case Refuse():
            return _to_dead_letters(decision, delivery, intake, now)


def rejected_event(decision: Refuse, now: datetime) -> OutgoingMessage | None:
    """Tells of a refusal; None where there is no pool whose refusal it would be."""
    if decision.pool is None:
        return None
    event = MessageRejected(
        id=str(uuid.uuid4()),
        pool=decision.pool.ref,
        worker="",
        time=now,
        reason=decision.reason,
        message=decision.sentence,
    )
    return event_message(event, event.type)


def _to_pool(decision: Publish, delivery: Delivery, now: datetime, new_id: str) -> OutgoingMessage:
    queue, stamp = decision.serving.queue, None if decision.has_id else new_id
    copy = copy_of(delivery, "", queue, {}, pool_uid=_NO_POOL, new_id=stamp, expires=True)
    left = decision.notes.left(now)
    return copy if left is None else replace(copy, properties=replace(copy.properties, expiration=str(left)))


def _to_delay_step(
    decision: PutAside, delivery: Delivery, intake: str, now: datetime, new_id: str
) -> OutgoingMessage:
    """It gets its id here already: should the copy be there twice, it is one task."""
    notes, stamp = decision.notes, None if decision.has_id else new_id
    own: dict[str, headers.HeaderValue] = {
        headers.ASIDE: notes.asides + 1,
        headers.SINCE: notes.since or int(now.timestamp()),
    }
    return copy_of(delivery, names.retry_step(notes.step), intake, own, pool_uid=_NO_POOL, new_id=stamp)


def _to_dead_letters(decision: Refuse, delivery: Delivery, intake: str, now: datetime) -> OutgoingMessage:
    own: Mapping[str, headers.HeaderValue] = {
        headers.SCHEMA: SCHEMA_VERSION,
        **reason_headers(decision.reason, decision.sentence, attempts=0),
        headers.ENDED_AT: now.isoformat(),
    }
    return copy_of(delivery, "", names.dead_queue(intake), own, pool_uid=_NO_POOL)
