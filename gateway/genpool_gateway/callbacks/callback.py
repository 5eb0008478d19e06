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
from genpool_gateway.callbacks.disposition import DeadLetter
from genpool_gateway.callbacks.ports import WebhookRequest

#: Characters of a sentence in a header.
_MAX_MESSAGE = 1000


@dataclass(frozen=True)
class Callback:
    """A callback, how often it has failed, and how often it was set aside without an attempt."""

    message: CallbackMessage
    request: WebhookRequest
    """As the message has it; its body is empty where the message has none."""
    task_key: str
    failed_before: int
    asides_before: int = 0
    put_off_at: int | None = None
    """When it was put off for the first time, in seconds since 1970; None when it was not."""

    def put_off_seconds(self, now: datetime) -> float:
        """For how long it has been put off."""
        return 0.0 if self.put_off_at is None else max(0.0, now.timestamp() - self.put_off_at)


def read(delivery: Delivery) -> Callback:
    """Read a callback that the workers of its own pool ask for, or the gateway itself: first, or as a retry.

    RabbitMQ has checked a message's ``user_id``, so only what the gateway has published carries one of its users, maybe
    that of a key which was replaced meanwhile: the ends that no worker makes, starts and outputs, replays, and what was
    put off. The body is kept as it was written, with fields that this version does not know.

    Raises
    ------
    InvalidMessage
        It is not a callback, or its sender may not ask for it.
    """
    sender = delivery.properties.user_id
    own, pool_uid = names.is_gateway_user(sender), names.pool_of_user(sender)
    if not own and pool_uid is None:
        raise _untrusted(sender, "only the workers of pools may ask for callbacks")
    try:
        message = CallbackMessage.model_validate_json(delivery.body)
        body = b"" if message.body is None else _body_as_written(delivery.body)
    except ValidationError as error:
        fault = first_fault(error, whole="the message")
        raise InvalidMessage(f"the message is not a callback: {fault}.") from None
    except (ValueError, RecursionError):
        raise InvalidMessage(
            "the message is not a callback: its body cannot be written as JSON in UTF-8."
        ) from None
    if not own and pool_uid != message.pool.uid:
        pool = f"{message.pool.namespace}/{message.pool.name}"
        raise _untrusted(sender, f"only the workers of pool {pool} may ask for its callbacks")
    # Only the gateway counts failures: a worker's first message has none.
    known = h.ours(delivery.headers, believed=own)
    return Callback(
        message=message,
        request=WebhookRequest(
            message.id, message.url, message.allow, body, message.pool.uid, receiver_of(message.url)
        ),
        task_key=message.task_key,
        failed_before=h.number(known, h.ATTEMPT) or 0,
        asides_before=h.number(known, h.ASIDE) or 0,
        put_off_at=h.number(known, h.SINCE),
    )


def _body_as_written(raw: bytes) -> bytes:
    body = json.loads(raw)["body"]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def _untrusted(sender: str | None, rule: str) -> InvalidMessage:
    who = f"user {sender}" if sender else "a sender without a name"
    return InvalidMessage(f"the message is from {who}: {rule}.", reason="UntrustedSender")


def receiver_of(url: str) -> str:
    """Host and port of a URL, as one key; empty when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}" if parts.hostname else ""


def receiver_of_message(body: bytes) -> str:
    """The receiver that a message names, believed or not; empty where it names none."""
    try:
        url = json.loads(body)["url"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""
    return receiver_of(url) if isinstance(url, str) else ""


def retry_headers(callback: Callback, attempts: int, asides: int, now: datetime) -> dict[str, h.HeaderValue]:
    """Headers of a callback that waits in a delay step."""
    since = int(now.timestamp()) if callback.put_off_at is None else callback.put_off_at
    counts = {h.ATTEMPT: attempts, h.ASIDE: asides}
    return {
        **{key: count for key, count in counts.items() if count},
        h.SINCE: since,
        h.SCHEMA: SCHEMA_VERSION,
    }


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
