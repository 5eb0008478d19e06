"""Pools, Deployments and pods as the watches showed them, in memory; a resync makes up for events that were lost."""

from genpool_operator.adapters.store.store import Store

__all__ = ["Store"]
