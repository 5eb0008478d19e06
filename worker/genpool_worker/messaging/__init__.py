"""Messages that the worker publishes: events, callbacks, dead letters, heartbeats."""
