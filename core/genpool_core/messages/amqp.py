"""AMQP messages as values: one that the broker delivered, and one to be published. No client library is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Properties:
    """Properties of a message, by the names of AMQP 0-9-1. None: the sender did not set it."""

    content_type: str | None = None
    content_encoding: str | None = None
    priority: int | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    expiration: str | None = None
    """Milliseconds, after which the broker drops the message or dead-letters it."""
    message_id: str | None = None
    timestamp: int | None = None
    """Unix time, seconds."""
    type: str | None = None
    user_id: str | None = None
    """Of a delivery: the sender, whose name the broker has checked. Of a message to publish: set by the connection."""
    app_id: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A message that the broker delivered. Answer it on the connection that brought it."""

    body: bytes
    headers: Mapping[str, object] = field(default_factory=dict)
    properties: Properties = field(default_factory=Properties)
    redelivered: bool = False
    unreadable: tuple[str, ...] = ()
    """Headers and properties that were there and cannot be represented."""
    routing_key: str = ""
    token: object = field(default=None, compare=False, repr=False)
    """The connection's own: which delivery of which channel this is."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message to publish. It is persistent, and published only when the broker has confirmed it."""

    exchange: str
    routing_key: str
    body: bytes
    headers: Mapping[str, object] = field(default_factory=dict)
    properties: Properties = field(default_factory=Properties)
    mandatory: bool = True
    """Whether it is an error that no queue takes it."""
    verbatim: bool = False
    """A copy of a message that came: a property that it does not have is not added."""

    @property
    def target(self) -> str:
        """Where it goes, for sentences."""
        return f"exchange {self.exchange!r} with routing key {self.routing_key!r}"
