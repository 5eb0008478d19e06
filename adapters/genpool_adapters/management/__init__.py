"""RabbitMQ's management API: requests, the topology of a vhost as it is, and the steps that change it."""
