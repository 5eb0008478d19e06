"""Values that cross between a connection's own thread and the program."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pika

from genpool_adapters.amqp.bell import RetryBell
from genpool_adapters.amqp.wire import WireProperties, text_of
from genpool_core import timing
from genpool_core.brokers import BrokerConfig
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.version import __version__

#: ``delivery_mode`` of a message that outlives a restart of the broker.
PERSISTENT = 2


Login = Callable[[], tuple[str, str]]
"""Gives user and password of this moment; raises SettingsError."""


@dataclass(frozen=True)
class AmqpParameters:
    """Where a broker is and who we are there."""

    host: str
    port: int
    vhost: str
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_certificates: str = ""
    """Certificates (PEM) that signed the broker's, in place of the system's."""
    connection_name: str = ""
    """Shown in RabbitMQ's management pages, and the name of the owning thread."""
    heartbeat_seconds: int = timing.AMQP_HEARTBEAT_SECONDS
    login: Login | None = field(default=None, repr=False)
    """User and password of the moment, asked at each attempt to connect; raises SettingsError. None: they stay."""
    bell: RetryBell | None = field(default=None, repr=False, compare=False)
    """When it rings, a connection that waits before its next attempt makes it at once."""

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


def broker_parameters(broker: BrokerConfig, vhost: str, login: Login, connection_name: str) -> AmqpParameters:
    """For a broker of the brokers file."""
    return AmqpParameters(
        host=broker.host,
        port=broker.port,
        vhost=vhost,
        tls=broker.tls,
        ca_certificates=broker.ca_certificates,
        connection_name=connection_name,
        login=login,
    )


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
    return pika.SSLOptions(ssl.create_default_context(cadata=settings.ca_certificates or None), settings.host)


def to_pika(message: OutgoingMessage, username: str, now: float) -> WireProperties:
    """Properties of a message to publish, in our name; ``now`` (Unix seconds) where it brings no timestamp."""
    properties = message.properties
    added = Properties() if message.verbatim else Properties("application/json", timestamp=int(now))
    return WireProperties(
        content_type=properties.content_type or added.content_type,
        content_encoding=properties.content_encoding,
        delivery_mode=PERSISTENT,
        headers=dict(message.headers) or None,
        message_id=properties.message_id,
        type=properties.type,
        priority=properties.priority,
        correlation_id=properties.correlation_id,
        reply_to=properties.reply_to,
        expiration=properties.expiration,
        app_id=properties.app_id,
        user_id=username,
        timestamp=added.timestamp if properties.timestamp is None else properties.timestamp,
    )


def delivery_of(
    channel: pika.channel.Channel, method: pika.spec.Basic.Deliver, properties: WireProperties, body: bytes
) -> Delivery:
    """What pika delivers, as a value. All of it was read by :class:`WireProperties`, except for the routing key."""
    return Delivery(
        body=body,
        headers=properties.headers or {},
        properties=from_pika(properties),
        redelivered=method.redelivered,
        unreadable=properties.unreadable,
        routing_key=text_of(method.routing_key),
        token=Token(channel, method.delivery_tag),
    )


def from_pika(properties: pika.BasicProperties) -> Properties:
    """Properties of a delivery; an empty text counts as none."""
    return Properties(
        content_type=properties.content_type or None,
        content_encoding=properties.content_encoding or None,
        priority=properties.priority,
        correlation_id=properties.correlation_id or None,
        reply_to=properties.reply_to or None,
        expiration=properties.expiration or None,
        message_id=properties.message_id or None,
        timestamp=properties.timestamp,
        type=properties.type or None,
        user_id=properties.user_id or None,
        app_id=properties.app_id or None,
    )
