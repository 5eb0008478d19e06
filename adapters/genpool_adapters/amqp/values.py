"""Values that cross between a connection's own thread and the program."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import pika

from genpool_core.version import __version__

#: The broker holds up a publisher that long before the connection is given up and made anew.
BLOCKED_SECONDS = 60


@dataclass(frozen=True)
class AmqpSettings:
    """Where a broker is and who we are there."""

    host: str
    port: int
    vhost: str
    username: str
    password: str = field(repr=False)
    tls: bool = False
    connection_name: str = ""
    """Shown in RabbitMQ's management pages, and the name of the owning thread."""
    heartbeat_seconds: int = 20

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
class Received:
    """A delivery. Answer it with ``ack`` or ``nack`` of the connection that brought it."""

    body: bytes
    headers: Mapping[str, object]
    properties: pika.BasicProperties
    redelivered: bool
    routing_key: str
    token: object
    """Opaque: the delivery and the incarnation of its channel."""

    @property
    def user_id(self) -> str | None:
        """The sender, which the broker has checked; None when the sender did not say."""
        return self.properties.user_id or None


@dataclass(frozen=True)
class QueueCount:
    """What a passive declare tells. A ``ready`` of 0 from a quorum queue may be wrong, more than 0 is right."""

    ready: int
    consumers: int


def parameters(settings: AmqpSettings) -> pika.ConnectionParameters:
    """Pika's parameters for one attempt to connect."""
    return pika.ConnectionParameters(
        host=settings.host,
        port=settings.port,
        virtual_host=settings.vhost,
        credentials=pika.PlainCredentials(settings.username, settings.password),
        ssl_options=_tls(settings),
        heartbeat=settings.heartbeat_seconds,
        blocked_connection_timeout=BLOCKED_SECONDS,
        connection_attempts=1,
        socket_timeout=10,
        stack_timeout=15,
        client_properties={
            "connection_name": settings.connection_name or "genpool",
            "product": "GenPool",
            "version": __version__,
        },
    )


def _tls(settings: AmqpSettings) -> pika.SSLOptions | None:
    if not settings.tls:
        return None
    return pika.SSLOptions(ssl.create_default_context(), settings.host)
