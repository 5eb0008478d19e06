"""Where the pools come from. Adapters read Kubernetes or files."""

from __future__ import annotations

from typing import Protocol

from genpool_gateway.pools.directory import PoolDirectory


class PoolSource(Protocol):
    """Keeps the pools as they are now. Used by many threads."""

    def start(self) -> None:
        """Begin to read, and go on until stopped; returns at once."""

    def stop(self) -> None:
        """End what was started; returns when it has ended."""

    def trouble(self) -> str | None:
        """Why the pools are not known: a sentence. None once all have been read, whatever happens after that."""

    def outdated(self) -> str | None:
        """Why what is known may be old: a sentence. None while changes are seen as they happen."""

    def snapshot(self) -> PoolDirectory:
        """The pools of this moment; the same object until something changes.

        Raises
        ------
        PoolsUnknown
            They have not all been read yet, with the sentence of :meth:`trouble`. No answer is not an empty one.
        """
