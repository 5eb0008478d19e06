"""Pika's exceptions as GenPool's errors, in sentences for the person who can change something."""

from __future__ import annotations

import ssl
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeVar

from pika import exceptions

from genpool_adapters.amqp.values import AmqpParameters
from genpool_adapters.causes import root_cause
from genpool_core.errors import BrokerError, Lasts, SettingsError

T = TypeVar("T")

UNREACHABLE = "BrokerUnreachable"
UNROUTABLE = "Unroutable"
REFUSED = "PublishRefused"
NOT_FOUND = 404
_ACCESS_REFUSED = 403


_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (exceptions.ProbableAuthenticationError, "refused user {user}: check its name and password."),
    (exceptions.AuthenticationError, "refused user {user}: check its name and password."),
    (
        exceptions.ProbableAccessDeniedError,
        "did not let user {user} in: check that the vhost exists and that the user has permissions in it.",
    ),
    (
        exceptions.IncompatibleProtocolError,
        "does not speak AMQP 0-9-1 there: check host and port, and whether the port expects TLS.",
    ),
    (exceptions.AMQPHeartbeatTimeout, "sent no heartbeat for {beat} seconds: the connection was given up."),
    (
        exceptions.ConnectionBlockedTimeout,
        "accepts no messages (memory or disk alarm): see its management page.",
    ),
)


def explain_connection(error: BaseException | None, settings: AmqpParameters) -> str:
    """One sentence about why there is no connection. Never holds the password."""
    where = f"RabbitMQ at {settings.place}"
    if isinstance(error, SettingsError):
        return error.message
    if isinstance(error, exceptions.ProbableAccessDeniedError) and "not found" in str(error):
        return missing_vhost(settings)
    for kind, text in _SENTENCES:
        if isinstance(error, kind):
            return f"{where} {text.format(user=settings.username, beat=settings.heartbeat_seconds)}"
    if isinstance(error, exceptions.ConnectionClosed):
        return f"{where} closed the connection: {error.reply_code} {error.reply_text}."
    cause = innermost(error)
    if error is not None and isinstance(root_cause(error), ssl.SSLError):
        return f"{where} {_without_trust(root_cause(error), cause)}"
    return (
        f"{where} does not answer ({cause}): check host, port and network." if cause else f"{where}: closed."
    )


def _without_trust(root: BaseException, cause: str) -> str:
    if isinstance(root, ssl.SSLCertVerificationError):
        return (
            f"cannot be trusted ({cause}): check its certificate, and the broker's ca in the chart's values."
        )
    return f"does not speak TLS as expected ({cause}): check the port, and whether it expects TLS."


def missing_vhost(settings: AmqpParameters) -> str:
    """What :func:`explain_connection` says of a broker that answers and has no such vhost."""
    return (
        f"RabbitMQ at {settings.place}: there is no such vhost. The operator creates it with its first pool."
    )


def innermost(error: BaseException | None) -> str:
    """The part of pika's nested errors that tells something, such as ``[Errno 111] Connection refused``."""
    if error is None:
        return ""
    root = root_cause(error)
    if isinstance(root, (exceptions.ChannelClosed, exceptions.ConnectionClosed)):
        return f"{root.reply_code} {root.reply_text}"
    return str(root) or type(root).__name__


def channel_error(error: BaseException, *, reason: str) -> BrokerError:
    """The error for a channel that the broker closed."""
    if isinstance(error, exceptions.ChannelClosed):
        repairable = error.reply_code in {NOT_FOUND, _ACCESS_REFUSED}
        return BrokerError(
            f"RabbitMQ refused: {error.reply_code} {error.reply_text}.",
            reason=reason,
            lasts=Lasts.REPAIR if repairable else Lasts.NEVER,
        )
    return BrokerError(f"the connection to RabbitMQ was lost ({innermost(error)}).", reason=UNREACHABLE)


def fail(future: Future[T], error: Exception) -> None:
    """End a call with an error, unless it has ended already or its caller has given up."""
    with suppress(InvalidStateError):
        future.set_exception(error)


def complete(future: Future[T], value: T) -> None:
    """End a call with a value, unless it has ended already or its caller has given up."""
    with suppress(InvalidStateError):
        future.set_result(value)


def code_of(error: BaseException) -> int | None:
    """Reply code with which the broker closed a channel; None when it was lost in another way."""
    return int(error.reply_code) if isinstance(error, exceptions.ChannelClosed) else None
