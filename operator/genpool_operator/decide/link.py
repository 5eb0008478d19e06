"""Is the broker there? Two ways lead to it: the management API, and AMQP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core.conditions import BROKER_REACHABLE, Finding

#: A failure shorter than this is not worth a condition: a connection is made again within it.
GRACE = timedelta(seconds=5)
#: Reasons that waiting does not mend.
DEFINITE = frozenset({"BrokerRefused"})


@dataclass(frozen=True)
class Reach:
    """One way to the broker: when it last answered, and what is wrong with it now."""

    started_at: datetime
    last_ok: datetime | None = None
    reason: str | None = None
    message: str = ""

    @property
    def fine(self) -> bool:
        """Whether it answered the last time."""
        return self.reason is None and self.last_ok is not None


@dataclass(frozen=True)
class Link:
    """Both ways."""

    management: Reach
    amqp: Reach


def judge_link(broker: str, link: Link, now: datetime) -> Finding:
    """The condition BrokerReachable."""
    for reach in (link.management, link.amqp):
        if reach.reason is not None and (reach.reason in DEFINITE or _lasts(reach, now)):
            message = f"Broker {broker}: {reach.message} The number of pods is held meanwhile."
            return Finding(BROKER_REACHABLE, "False", reach.reason, message)
    if link.management.last_ok is None or link.amqp.last_ok is None:
        return Finding(BROKER_REACHABLE, "Unknown", "Connecting", f"Connecting to broker {broker}.")
    return Finding(BROKER_REACHABLE, "True", "Reachable", f"Broker {broker} answers.")


def _lasts(reach: Reach, now: datetime) -> bool:
    return now - (reach.last_ok or reach.started_at) > GRACE
