"""RabbitMQ for programs with threads: one connection, owned by one thread, that comes back by itself.

A program that consumes uses two connections, one to consume and acknowledge and one to publish: the broker holds up
publishing connections when it is short of memory or disk, and acknowledgements must not wait behind that.
"""

from __future__ import annotations

from genpool_adapters.amqp.bell import RetryBell
from genpool_adapters.amqp.connection import AmqpConnection
from genpool_adapters.amqp.values import AmqpParameters, QueueCount, broker_parameters

__all__ = ["AmqpConnection", "AmqpParameters", "QueueCount", "RetryBell", "broker_parameters"]
