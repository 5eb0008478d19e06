"""The test's side of RabbitMQ: a plain producer, and a person who empties a dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pika

from genpool_core.jsontypes import JsonObject


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue."""

    body: bytes
    headers: dict[str, Any]
    user_id: str | None


@dataclass(frozen=True)
class Producer:
    """An AMQP login."""

    host: str
    port: int
    vhost: str
    username: str
    password: str = field(repr=False)

    def send(self, queue: str, *bodies: JsonObject | bytes) -> None:
        """Publish through the default exchange as plain producers do, and wait until the broker has all of it."""
        with self._channel() as channel:
            channel.queue_declare(queue=queue, durable=True)
            channel.confirm_delivery()
            for body in bodies:
                raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
                properties = pika.BasicProperties(delivery_mode=2)
                channel.basic_publish("", queue, raw, properties=properties, mandatory=True)

    def send_as(self, queue: str, properties: pika.BasicProperties, body: JsonObject) -> None:
        """Publish one message with these properties, and wait until the broker has it."""
        with self._channel() as channel:
            channel.confirm_delivery()
            channel.basic_publish("", queue, json.dumps(body).encode(), properties=properties, mandatory=True)

    def take_all(self, queue: str) -> list[DeadLetter]:
        """Take every message out of a queue that exists."""
        taken: list[DeadLetter] = []
        with self._channel() as channel:
            while True:
                method, properties, body = channel.basic_get(queue)
                if method is None:
                    return taken
                taken.append(DeadLetter(body, dict(properties.headers or {}), properties.user_id))
                channel.basic_ack(method.delivery_tag)

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        credentials = pika.PlainCredentials(self.username, self.password)
        parameters = pika.ConnectionParameters(
            self.host, self.port, self.vhost, credentials, socket_timeout=10, blocked_connection_timeout=30
        )
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            connection.close()
