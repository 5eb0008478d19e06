"""The dispatcher's ports on real parts: HTTP, RabbitMQ, Prometheus."""
