"""RabbitMQ as the operator uses it: topology by the management API, depths by both, heartbeats by AMQP."""

from genpool_operator.adapters.rabbit.brokers import RabbitBrokers

__all__ = ["RabbitBrokers"]
