"""Copies of a message that was delivered: for a delay step, or for a dead-letter queue. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from genpool_core import names
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties

_MAX_HEADER = 1000


def copy_of(  # noqa: PLR0913 - in what the copy differs
    delivery: Delivery,
    exchange: str,
    routing_key: str,
    own: Mapping[str, headers.HeaderValue],
    *,
    pool_uid: str,
    new_id: str | None = None,
    expires: bool = False,
) -> OutgoingMessage:
    """The message of a delivery, to be published once more as it came, with ``own`` in place of GenPool's headers.

    Owner and run stay, as far as their sender is believed in the pool ``pool_uid``: without them the copy would be
    another task.

    ``expires``: its ``expiration`` stays in force. Otherwise a header keeps it: in a delay step or a dead-letter queue
    the message would be deleted by it.
    """
    properties = delivery.properties
    return OutgoingMessage(
        exchange=exchange,
        routing_key=routing_key,
        body=delivery.body,
        headers={
            **headers.theirs(delivery.headers),
            **_notes(delivery, expires=expires),
            **_identity(delivery, pool_uid),
            **own,
        },
        properties=replace(
            properties,
            message_id=new_id or properties.message_id,
            user_id=None,
            expiration=properties.expiration if expires else None,
        ),
        verbatim=True,
    )


def bare(message: OutgoingMessage) -> OutgoingMessage:
    """A copy with nothing of the producer's but body, id and priority; a header names what it lacks."""
    kept = {key: value for key, value in message.headers.items() if key.startswith(headers.PREFIX)}
    lacks = [key for key in message.headers if key not in kept]
    properties = message.properties
    few = Properties(message_id=properties.message_id, priority=properties.priority)
    lacks += [item.name for item in fields(few) if getattr(few, item.name) != getattr(properties, item.name)]
    kept[headers.LEFT_OUT] = headers.left_out(kept.get(headers.LEFT_OUT), lacks)
    return replace(message, headers=kept, properties=few)


def _identity(delivery: Delivery, pool_uid: str) -> dict[str, headers.HeaderValue]:
    trusted = headers.of_task(delivery.headers, delivery.properties.user_id, pool_uid)
    return {key: trusted[key] for key in headers.OF_THE_GATEWAY if key in trusted}


def _notes(delivery: Delivery, *, expires: bool) -> dict[str, headers.HeaderValue]:
    """What earlier copies of the message noted, and what this one has to note."""
    user = delivery.properties.user_id
    copied = names.pool_of_user(user) is not None or names.is_gateway_user(user)
    trusted = headers.ours(delivery.headers, believed=copied)
    notes = {key: trusted[key] for key in (headers.LEFT_OUT, headers.EXPIRATION) if key in trusted}
    if delivery.unreadable:
        notes[headers.LEFT_OUT] = headers.left_out(notes.get(headers.LEFT_OUT), delivery.unreadable)
    if delivery.properties.expiration and not expires:
        notes[headers.EXPIRATION] = delivery.properties.expiration
    return notes


def reason_headers(reason: str, message: str, *, attempts: int) -> dict[str, headers.HeaderValue]:
    """The headers that say why a message is a dead letter."""
    return {headers.REASON: reason, headers.MESSAGE: message[:_MAX_HEADER], headers.ATTEMPTS: attempts}
