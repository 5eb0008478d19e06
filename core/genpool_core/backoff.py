"""The wait before the next try: growing, capped, and spread so that many clients do not return together.

The one back-off of all programs. It is a value without a loop and without a clock: each of its loops ends on something
else than a number of tries (a drain, a stop, a delivery that is lost), and no retry library waits for those.
"""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core import timing


@dataclass(frozen=True)
class Backoff:
    """Waits of ``first``, ``2 * first``, ``4 * first`` … seconds, never more than ``cap``, shortened at random.

    The defaults are those of a connection to RabbitMQ.
    """

    first: float = timing.AMQP_RETRY_SECONDS
    cap: float = timing.AMQP_RETRY_MOST_SECONDS
    #: Share of the wait that chance may take away, 0 to 1.
    spread: float = 0.5

    def seconds(self, failures: int, chance: float = 0.0) -> float:
        """Seconds to wait after ``failures`` in a row, at least 1; ``chance`` from 0 to 1 shortens it, 0 does not."""
        doublings = min(max(failures - 1, 0), 32)
        whole = min(self.cap, self.first * 2.0**doublings)
        return whole * (1.0 - self.spread * chance)
