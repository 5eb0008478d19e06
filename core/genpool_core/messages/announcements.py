"""How the end of a run is announced: event and callback message, the same whoever publishes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genpool_core import egress_policy, identity, names
from genpool_core.api.security import HostRule
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.amqp import OutgoingMessage, Properties
from genpool_core.messages.base import PoolRef
from genpool_core.messages.callbacks import CallbackMessage, callback_body
from genpool_core.messages.events import Event, TaskEnded


def ended_event(end: EndRecord, pool: PoolRef) -> TaskEnded:
    """The event of an end."""
    return TaskEnded(
        id=identity.end_id(end.task_key, end.run),
        pool=pool,
        worker=end.worker,
        time=end.ended_at,
        task_id=end.task_id,
        task_key=end.task_key,
        run=end.run,
        attempt=end.attempt,
        outcome=end.outcome,
        reason=end.reason,
        message=end.message,
        outputs=end.outputs,
        record=announced(end),
    )


def announced(end: EndRecord) -> EndRecord:
    """The record as an event carries it: without the query of the callback's URL, which may be a secret."""
    if end.callback_url is None:
        return end
    return end.model_copy(update={"callback_url": egress_policy.redact(end.callback_url)})


def event_message(event: Event, kind: str) -> OutgoingMessage:
    """An event as a message; not mandatory, since there may be no queue for it."""
    return OutgoingMessage(
        exchange=names.EVENTS_EXCHANGE,
        routing_key=names.event_routing_key(event.pool.uid, kind),
        body=event.model_dump_json().encode(),
        properties=Properties(message_id=event.id, type=kind),
        mandatory=False,
    )


def callback_message(
    end: EndRecord, pool: PoolRef, allow: Sequence[HostRule], links: Mapping[str, str]
) -> OutgoingMessage | None:
    """Asks the gateway to tell the receiver; None where there is none. ``links``: signed, by object key."""
    if end.callback_url is None:
        return None
    message = CallbackMessage(
        id=identity.end_id(end.task_key, end.run),
        url=end.callback_url,
        allow=list(allow),
        body=callback_body(end, pool, links),
        end=end,
    )
    return to_callbacks_queue(message)


def to_callbacks_queue(message: CallbackMessage) -> OutgoingMessage:
    """The message for the broker."""
    return OutgoingMessage(
        exchange=names.CALLBACKS_EXCHANGE,
        routing_key=names.CALLBACKS_QUEUE,
        body=message.model_dump_json().encode(),
        properties=Properties(message_id=message.id, type="callback"),
    )
