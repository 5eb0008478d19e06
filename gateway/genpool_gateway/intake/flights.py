"""Messages that were published and wait for their confirmation, and what follows when one fails. Decisions are pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from genpool_core import timing
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.intake.route import Decision, Publish


@dataclass
class Flight:
    """A delivery, and the message that takes its place."""

    delivery: Delivery
    decision: Decision
    message: OutgoingMessage
    new_id: str
    """For a task that has none: always the same, so that a repeat is the same task."""
    bare: bool = False
    """Whether the message is a copy without the producer's own headers."""
    failures: int = 0
    sent_at: float = 0.0
    alone: bool = False
    """Whether it was published when nothing else was on its way."""
    lost: bool = False
    """Whether its delivery has gone back to the broker meanwhile, and comes again."""

    @property
    def routed(self) -> bool:
        """Whether it is on its way to a pool."""
        return isinstance(self.decision, Publish)


class Next(Enum):
    """What follows a failure."""

    AGAIN = "published again when there is a connection, alone and before all that came after it"
    LATER = "published again after a wait; others go on"
    ASIDE = "put aside: its pool's queue does not take it"
    BARE = "published without the producer's own headers"
    REJECT = "moved to the dead-letter queue by the broker, as it came"


def after_failure(error: BrokerError, flight: Flight) -> Next:
    """Decide.

    A channel that the broker closed fails all that was on it, and one of them may be why: published alone, the guilty
    one is known.
    """
    if error.lasts is Lasts.NEVER:
        return Next.REJECT if flight.bare else Next.BARE
    if error.lasts is Lasts.REPAIR and flight.alone:
        return Next.ASIDE if flight.routed else Next.LATER
    if error.uncertain or error.reason == BrokerError.reason:
        return Next.AGAIN
    return Next.ASIDE if flight.routed else Next.LATER


def overdue(flights: Sequence[Flight], confirmed_at: float, now: float) -> list[Flight]:
    """Those on their way to pools whose queues do not confirm, although the broker works.

    ``flights``: in the order in which they were sent. ``confirmed_at``: when the last of all confirmed messages was
    sent. A message that is the only one out has nothing to be compared with, and holds up the others.
    """
    late = [each for each in flights if each.routed and now - each.sent_at >= timing.INTAKE_CONFIRM_SECONDS]
    return [each for each in late if confirmed_at > each.sent_at or len(flights) == 1]
