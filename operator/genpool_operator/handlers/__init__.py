"""What sets the reconciler in motion: kopf's watches, a queue, and a clock. No decision about a pool is made here."""
