"""What the watches have seen, in memory; the whole is listed again twice a minute, so a lost event cannot last."""

from genpool_operator.adapters.store.store import Store

__all__ = ["Store"]
