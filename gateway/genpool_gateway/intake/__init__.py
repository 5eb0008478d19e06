"""The intake: one queue before several pools, from which each message goes to the pool that serves its workflow."""
