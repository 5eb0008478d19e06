"""What a message in the janitor's queue is: why RabbitMQ took it out of its queue, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpool_core.errors import TaskFailure
from genpool_core.ledger.records import Claim, EndRecord
from genpool_core.messages.arrival import enqueued_at
from genpool_core.tasks.check import callback_for, shown_parameters, validate
from genpool_core.tasks.decode import TaskDelivery
from genpool_gateway.janitor.ending import About, Cause, live_claim
from genpool_gateway.pools.pool import Serving

#: RabbitMQ's words. What it may add in a later release counts as the last one.
CAUSES: Mapping[str, Cause] = {
    "expired": Cause("expired", "Expired", "the task waited in its queue for longer than it was allowed to."),
    "delivery_limit": Cause(
        "dead",
        "DeliveryLimitReached",
        "the task was given back to its queue so often that RabbitMQ delivers it no more: look at the log of the "
        "pool's workers.",
    ),
    "maxlen": Cause(
        "dead",
        "QueueOverflowed",
        "the queue was longer than a policy allows, and RabbitMQ took the task out: look at the queue's policies.",
    ),
    "rejected": Cause(
        "dead",
        "RejectedByConsumer",
        "a consumer that is none of GenPool's rejected the task: look who else consumes the queue.",
    ),
}


@dataclass(frozen=True)
class Origin:
    """Where a message was, and why RabbitMQ took it out."""

    queue: str
    reason: str

    @property
    def cause(self) -> Cause:
        """The same as an end."""
        return CAUSES.get(self.reason, CAUSES["rejected"])


def origin_of(headers: Mapping[str, object]) -> Origin | None:
    """From ``x-death``, whose first entry is the newest; None where RabbitMQ has not dead-lettered the message."""
    deaths = headers.get("x-death")
    newest = deaths[0] if isinstance(deaths, Sequence) and not isinstance(deaths, str) and deaths else None
    if not isinstance(newest, Mapping):
        return None
    queue, reason = newest.get("queue"), newest.get("reason")
    if not isinstance(queue, str) or not queue or not isinstance(reason, str):
        return None
    return Origin(queue, reason)


@dataclass(frozen=True)
class Announce:
    """The run has its end. ``place``: its dead letter may be missing."""

    end: EndRecord
    place: bool


@dataclass(frozen=True)
class Hold:
    """A worker has the task in hand: its end, or its loss, is awaited with the message in hand."""


@dataclass(frozen=True)
class MakeEnd:
    """End the run, and place the message among the dead letters."""


Fate = Announce | Hold | MakeEnd


def fate_of(
    claims: Sequence[Claim], end: EndRecord | None, ages: Mapping[int, float], *, redelivered: bool
) -> Fate:
    """What becomes of a task that RabbitMQ dead-lettered.

    A worker whose connection was cut may go on with a task that expired meanwhile. ``redelivered``: the message was in
    hand before, so an end that the gateway made for it may lack its dead letter.
    """
    if end is not None:
        made_for_it = any(end.reason == cause.reason for cause in CAUSES.values())
        return Announce(end, place=redelivered and not end.worker and made_for_it)
    if live_claim(claims, ages) is not None:
        return Hold()
    return MakeEnd()


def about_message(task: TaskDelivery, serving: Serving, now: datetime) -> About:
    """What the message tells of its task; no more than that where no worker could do it."""
    config = serving.config
    try:
        validated = validate(task.body, config, serving.catalog, owner=task.owner)
    except TaskFailure:
        validated = None
    return About(
        owner=task.owner,
        workflow=validated.workflow_name if validated else None,
        template_digest=validated.template_digest if validated else None,
        parameters=shown_parameters(validated.bound) if validated else None,
        callback_url=callback_for(task.body, config),
        enqueued=enqueued_at(task.delivery.headers, task.delivery.properties, now),
        gpus=config.gpus,
    )
