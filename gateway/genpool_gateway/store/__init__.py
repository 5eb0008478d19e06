"""The task store: tasks, their events, idempotency keys, API keys and the audit log in SQLite or PostgreSQL."""
