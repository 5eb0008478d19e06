"""I/O that operator, worker and gateway share: the AMQP connection, guarded HTTP, logs."""
