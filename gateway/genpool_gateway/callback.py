"""From a message on the callbacks queue to a callback that may be believed. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pydantic import ValidationError

from genpool_core import names
from genpool_core.errors import InvalidMessage
from genpool_core.messages import headers as h
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.base import SCHEMA_VERSION
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.validation import first_fault
from genpool_gateway.disposition import DeadLetter
from genpool_gateway.ports import WebhookRequest

#: Characters of a sentence in a header.
_MAX_MESSAGE = 1000


@dataclass(frozen=True)
class Callback:
    """A callback and how often it has failed."""

    request: WebhookRequest
    task_key: str
    failed_before: int


def read(delivery: Delivery, own_user: str) -> Callback:
    """Read a message of one of our programs.

    The receiver gets the body as the worker wrote it, with fields that this version does not know.

    Raises
    ------
    InvalidMessage
        Its sender is not one of our users, or it is no callback.
    """
    if not (names.is_our_user(delivery.properties.user_id) or delivery.properties.user_id == own_user):
        sender = (
            f"user {delivery.properties.user_id}"
            if delivery.properties.user_id
            else "a sender without a name"
        )
        raise InvalidMessage(
            f"the message is from {sender}; only GenPool's own programs may ask for callbacks.",
            reason="UntrustedSender",
        )
    try:
        message = CallbackMessage.model_validate_json(delivery.body)
        body = json.dumps(
            json.loads(delivery.body)["body"], ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode("utf-8")
    except ValidationError as error:
        fault = first_fault(error, whole="the message")
        raise InvalidMessage(f"the message is not a callback: {fault}.") from None
    except (ValueError, RecursionError):
        raise InvalidMessage(
            "the message is not a callback: its body cannot be written as JSON in UTF-8."
        ) from None
    known = h.ours(delivery.headers, names.USER_PREFIX)
    return Callback(
        request=WebhookRequest(message.id, message.url, message.allow, body, receiver_of(message.url)),
        task_key=message.body.task_key,
        failed_before=h.number(known, h.ATTEMPT) or 0,
    )


def receiver_of(url: str) -> str:
    """Host and port of a URL, as one key; empty when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}" if parts.hostname else ""


def retry_headers(attempts: int) -> dict[str, h.HeaderValue]:
    """Headers of a callback that waits in a delay step."""
    return {h.ATTEMPT: attempts, h.SCHEMA: SCHEMA_VERSION}


def dead_headers(dead: DeadLetter, task_key: str | None, now: datetime) -> dict[str, h.HeaderValue]:
    """Headers of a callback in the dead-letter queue."""
    headers: dict[str, h.HeaderValue] = {
        h.REASON: dead.reason,
        h.MESSAGE: dead.message[:_MAX_MESSAGE],
        h.ATTEMPTS: dead.attempts,
        h.ENDED_AT: now.isoformat(timespec="milliseconds"),
        h.SCHEMA: SCHEMA_VERSION,
    }
    if task_key is not None:
        headers[h.TASK_KEY] = task_key
    return headers
