"""Values that cross between a connection's own thread and the program."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pika

from genpool_core import timing
from genpool_core.messages.amqp import OutgoingMessage, Properties
from genpool_core.version import __version__

#: ``delivery_mode`` of a message that outlives a restart of the broker.
PERSISTENT = 2


@dataclass(frozen=True)
class AmqpParameters:
    """Where a broker is and who we are there."""

    host: str
    port: int
    vhost: str
    username: str
    password: str = field(repr=False)
    tls: bool = False
    connection_name: str = ""
    """Shown in RabbitMQ's management pages, and the name of the owning thread."""
    heartbeat_seconds: int = timing.AMQP_HEARTBEAT_SECONDS
    login: Callable[[], tuple[str, str]] | None = field(default=None, repr=False)
    """User and password of the moment, asked at each attempt to connect; raises SettingsError. None: they stay."""

    def current(self) -> AmqpParameters:
        """The same with the login of this moment.

        Raises
        ------
        SettingsError
            The login cannot be read.
        """
        if self.login is None:
            return self
        username, password = self.login()
        return replace(self, username=username, password=password)

    @property
    def place(self) -> str:
        """Host, port and vhost, for messages and logs."""
        return f"{self.host}:{self.port} vhost {self.vhost}"


@dataclass(frozen=True)
class Token:
    """Ties a delivery to the one channel on which it can be answered."""

    channel: pika.channel.Channel
    tag: int


@dataclass(frozen=True)
class QueueCount:
    """What a passive declare tells. A ``ready`` of 0 from a quorum queue may be wrong, more than 0 is right."""

    ready: int
    consumers: int


def parameters(settings: AmqpParameters) -> pika.ConnectionParameters:
    """Pika's parameters for one attempt to connect."""
    return pika.ConnectionParameters(
        host=settings.host,
        port=settings.port,
        virtual_host=settings.vhost,
        credentials=pika.PlainCredentials(settings.username, settings.password),
        ssl_options=_tls(settings),
        heartbeat=settings.heartbeat_seconds,
        blocked_connection_timeout=timing.AMQP_BLOCKED_SECONDS,
        connection_attempts=1,
        socket_timeout=timing.AMQP_SOCKET_SECONDS,
        stack_timeout=timing.AMQP_STACK_SECONDS,
        client_properties={
            "connection_name": settings.connection_name or "genpool",
            "product": "GenPool",
            "version": __version__,
        },
    )


def _tls(settings: AmqpParameters) -> pika.SSLOptions | None:
    if not settings.tls:
        return None
    return pika.SSLOptions(ssl.create_default_context(), settings.host)


def to_pika(message: OutgoingMessage, username: str, now: float) -> pika.BasicProperties:
    """Properties of a message to publish, in our name; ``now`` (Unix seconds) where it brings no timestamp."""
    properties = message.properties
    return pika.BasicProperties(
        content_type=properties.content_type or "application/json",
        delivery_mode=PERSISTENT,
        headers=dict(message.headers) or None,
        message_id=properties.message_id,
        type=properties.type,
        priority=properties.priority,
        correlation_id=properties.correlation_id,
        reply_to=properties.reply_to,
        app_id=properties.app_id,
        user_id=username,
        timestamp=int(now) if properties.timestamp is None else properties.timestamp,
    )


def from_pika(properties: pika.BasicProperties) -> Properties:
    """Properties of a delivery; an empty text counts as none."""
    return Properties(
        content_type=properties.content_type or None,
        priority=properties.priority,
        correlation_id=properties.correlation_id or None,
        reply_to=properties.reply_to or None,
        message_id=properties.message_id or None,
        timestamp=properties.timestamp,
        type=properties.type or None,
        user_id=properties.user_id or None,
        app_id=properties.app_id or None,
    )
