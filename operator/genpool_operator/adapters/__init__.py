"""I/O and nothing else: Kubernetes, RabbitMQ, files. Other libraries' exceptions end here."""
