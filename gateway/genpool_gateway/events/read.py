"""From a message of the events exchange to an event that may be believed. Pure."""

from __future__ import annotations

from pydantic import ValidationError

from genpool_core import names
from genpool_core.errors import InvalidMessage
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.events import EVENT, AnyEvent
from genpool_core.validation import first_fault
from genpool_gateway.tasks.change import Change


def tells_of_dropped(delivery: Delivery, change: Change) -> bool:
    """Whether a worker announces an end before its time, which a gateway may have made: it drops the message then."""
    early = change.end is not None and change.end.outcome in {"cancelled", "expired"}
    return early and names.pool_of_user(delivery.properties.user_id) is not None


def read_event(delivery: Delivery) -> AnyEvent:
    """The event of a worker about a task of its own pool, or of a gateway.

    Raises
    ------
    InvalidMessage
        It is no event, or its sender may not announce it.
    """
    try:
        event = EVENT.validate_json(delivery.body)
    except ValidationError as error:
        raise InvalidMessage(f"the message is no event: {first_fault(error, whole='the message')}.") from None
    sender = delivery.properties.user_id
    if names.is_gateway_user(sender) or names.pool_of_user(sender) == event.pool.uid:
        return event
    who = f"user {sender}" if sender else "a sender without a name"
    raise InvalidMessage(
        f"an event of pool {event.pool.namespace}/{event.pool.name} came from {who}: only its workers and the gateway "
        "may announce it.",
        reason="UntrustedSender",
    )
