"""What the gateway notes on a message while it waits in a delay step for its pool. Pure.

The notes count only from a gateway's user, which the broker has checked: a producer cannot make them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genpool_core import names, timing
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery

#: Delay steps for a task whose pool does not take it now, the next one each time.
STEPS = tuple(step for step in timing.RETRY_STEPS if step <= timing.INTAKE_ASIDE_SECONDS)


@dataclass(frozen=True)
class Notes:
    """Of a message that waited before; the defaults are those of one that did not."""

    asides: int = 0
    """How often it was put aside."""
    since: int | None = None
    """When it was first, in seconds since 1970."""
    expiration: int | None = None
    """How long its producer lets it wait, in milliseconds."""

    @property
    def step(self) -> int:
        """Seconds of the delay step that comes next."""
        return STEPS[min(self.asides, len(STEPS) - 1)]

    def left(self, now: datetime) -> int | None:
        """Milliseconds that it may still wait; None where there is no limit."""
        if self.expiration is None or self.since is None:
            return None
        return max(0, self.expiration - int((now.timestamp() - self.since) * 1000))

    def expired(self, now: datetime) -> bool:
        """Whether it has waited for longer than its producer allows."""
        return self.left(now) == 0


NO_NOTES = Notes()


def notes_of(delivery: Delivery) -> Notes:
    """Read them."""
    found = headers.ours(delivery.headers, believed=names.is_gateway_user(delivery.properties.user_id))
    expiration = headers.text(found, headers.EXPIRATION)
    return Notes(
        asides=headers.number(found, headers.ASIDE) or 0,
        since=headers.number(found, headers.SINCE),
        expiration=int(expiration) if expiration is not None and expiration.isdecimal() else None,
    )
