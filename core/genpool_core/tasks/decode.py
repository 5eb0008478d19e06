"""From a delivery to a task with an identity. Pure: what arrives from outside becomes a typed value here, once."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.errors import InvalidMessage, InvalidTask
from genpool_core.identity import DEFAULT_TENANT, TaskRef, task_key
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.decide import DeliveryInfo
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.task import parse_body, task_id_of


@dataclass(frozen=True)
class Undecodable:
    """A message that is no task at all."""

    delivery: Delivery
    failure: InvalidMessage


@dataclass(frozen=True)
class UnidentifiedTask:
    """A task with no id of any kind: it needs one before work begins."""

    delivery: Delivery


@dataclass(frozen=True)
class TaskDelivery:
    """A task that was delivered, and who it is."""

    delivery: Delivery
    body: JsonObject
    ref: TaskRef
    info: DeliveryInfo
    put_off: int = 0
    """How often it was put off because ComfyUI cannot run its workflow."""
    owner: str | None = None
    """Id of the API key that sent it to the gateway; None of a plain producer's."""


Decoded = Undecodable | UnidentifiedTask | TaskDelivery


def decode(delivery: Delivery, pool_uid: str) -> Decoded:
    """Read a delivery; raises nothing.

    A body whose ``task_id`` is no id at all is known by its ``message_id``; that it is wrong is found when the task is
    validated.
    """
    try:
        body = parse_body(delivery.body)
    except InvalidMessage as failure:
        return Undecodable(delivery, failure)
    message_id = delivery.properties.message_id
    try:
        task_id = task_id_of(body) or message_id
    except InvalidTask:
        task_id = message_id
    if not task_id:
        return UnidentifiedTask(delivery)
    trusted = headers.of_task(delivery.headers, delivery.properties.user_id, pool_uid)
    owner = headers.text(trusted, headers.OWNER)
    made_for = headers.text(trusted, headers.POOL) or pool_uid
    key = task_key(made_for, task_id, body, tenant=owner or DEFAULT_TENANT)
    return TaskDelivery(
        delivery=delivery,
        body=body,
        ref=TaskRef(task_id, key, headers.number(trusted, headers.RUN) or 1),
        info=DeliveryInfo(
            redelivered=delivery.redelivered,
            failed_attempt=headers.number(trusted, headers.ATTEMPT),
        ),
        put_off=headers.number(trusted, headers.PUT_OFF) or 0,
        owner=owner,
    )
