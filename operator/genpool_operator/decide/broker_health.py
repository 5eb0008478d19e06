"""Whether the broker can be reached, by its management API and by AMQP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_core.conditions import BROKER_REACHABLE, Finding

#: Reasons that waiting does not mend.
DEFINITE = frozenset({"BrokerRefused"})


@dataclass(frozen=True)
class Reachability:
    """One of the two ways to the broker: when it last answered, and why it does not answer now."""

    started_at: datetime
    last_ok: datetime | None = None
    reason: str | None = None
    message: str = ""

    @property
    def fine(self) -> bool:
        """Whether it answered the last time."""
        return self.reason is None and self.last_ok is not None


@dataclass(frozen=True)
class BrokerHealth:
    """Both ways to the broker."""

    management: Reachability
    amqp: Reachability


def broker_finding(broker: str, health: BrokerHealth, now: datetime) -> Finding:
    """The condition BrokerReachable."""
    for reach in (health.management, health.amqp):
        if reach.reason is not None and (reach.reason in DEFINITE or _lasts(reach, now)):
            message = f"Broker {broker}: {reach.message} The number of pods is held meanwhile."
            return Finding(BROKER_REACHABLE, "False", reach.reason, message)
    if health.management.last_ok is None or health.amqp.last_ok is None:
        return Finding(BROKER_REACHABLE, "Unknown", "Connecting", f"Connecting to broker {broker}.")
    return Finding(BROKER_REACHABLE, "True", "Reachable", f"Broker {broker} answers.")


def _lasts(reach: Reachability, now: datetime) -> bool:
    return now - (reach.last_ok or reach.started_at) > timedelta(seconds=timing.BROKER_LOST_SECONDS)
