"""From a delivery to a task with an identity. Pure: what arrives from outside becomes a typed value here."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.errors import InvalidTask
from genpool_core.identity import task_key
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.decide import Delivery
from genpool_core.messages import headers
from genpool_core.messages.task import parse_body, task_id_of
from genpool_worker.ports import Message


@dataclass(frozen=True)
class Unnamed:
    """A task with no id of any kind: it needs one before work begins."""

    message: Message
    body: JsonObject


@dataclass(frozen=True)
class Delivered:
    """A task that was delivered, and who it is."""

    message: Message
    body: JsonObject
    task_id: str
    key: str
    run: int
    delivery: Delivery


def receive(message: Message, pool_uid: str) -> Delivered | Unnamed:
    """Read a delivery.

    A body whose ``task_id`` is no id at all is known by its ``message_id``; that it is wrong is found when the task is
    prepared.

    Raises
    ------
    InvalidMessage
        It is no task at all.
    """
    body = parse_body(message.body)
    try:
        task_id = task_id_of(body) or message.message_id
    except InvalidTask:
        task_id = message.message_id
    if not task_id:
        return Unnamed(message, body)
    trusted = headers.ours(message.headers, message.user_id)
    return Delivered(
        message=message,
        body=body,
        task_id=task_id,
        key=task_key(pool_uid, task_id, body),
        run=headers.number(trusted, headers.RUN) or 1,
        delivery=Delivery(
            redelivered=message.redelivered,
            failed_attempt=headers.number(trusted, headers.ATTEMPT),
        ),
    )
