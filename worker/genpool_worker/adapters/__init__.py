"""The ports over real S3, ComfyUI, HTTP and RabbitMQ. I/O and the translation of errors, no decisions."""
