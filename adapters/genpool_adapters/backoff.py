"""How long to wait before the next try: growing, capped, and spread so that many do not return together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Waits of ``first``, ``2 * first``, ``4 * first`` … seconds, never more than ``cap``, shortened at random."""

    first: float = 0.5
    cap: float = 15.0
    #: Share of the wait that chance may take away, 0 to 1.
    spread: float = 0.5

    def seconds(self, attempt: int, chance: float) -> float:
        """Seconds to wait after ``attempt`` failures in a row (1 is the first); ``chance`` is from 0 to 1."""
        doublings = min(max(attempt - 1, 0), 32)
        whole = min(self.cap, self.first * 2.0**doublings)
        return whole * (1.0 - self.spread * chance)
