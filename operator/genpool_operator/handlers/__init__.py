"""What triggers passes: kopf's watches, the queue of requests, the manager, the resync. No decision about a pool."""
