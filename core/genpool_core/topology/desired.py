"""The desired topology: what a vhost needs, and what a pool adds to it.

Only what cannot change later is a queue argument; everything else is one policy per role. A work queue of plain
producers carries no argument at all, because theirs would differ (406). Delay steps are quorum queues with one TTL
each, at-least-once dead-lettering and reject-publish: anything less lost messages when the target was full. A delay
step is fed by a fanout exchange with the target queue's name as routing key, so that the default exchange brings the
message home.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from genpool_core import names, timing
from genpool_core.jsontypes import JsonObject

#: One policy applies to a queue; ours should win over a vhost's general ones.
POLICY_PRIORITY = 1000
#: The last net on work and callback queues: a message that a program never gets to settle becomes a dead letter.
#:
#: Our ledger counts attempts, so the limit must be above what is no attempt at all. RabbitMQ counts every return before
#: 4.3 (a hand-back, a lost connection), and from 4.3 lost connections only. A worker returns one message at most every
#: ``timing.STORE_HOLD_SECONDS``, because it keeps it in hand meanwhile. Classic queues count nothing, and the plan
#: leaves this key out for them: there the worker's own count (``genpool_core.messages.faults``) is the net.
_LAST_NET: JsonObject = {"delivery-limit": timing.DELIVERY_LIMIT}
#: Events that tell a task's state. Progress, previews and heartbeats are no states: they would only fill the queue.
STATE_EVENTS = ("task.claimed", "task.output", "task.retried", "task.ended")
#: Most messages in the events queue; after that the oldest are dropped, and the gateway reads the ledgers back.
#:
#: A task makes about four (claimed, one or two outputs, ended), so 1,250,000 tasks fit: two a second for a week without
#: a gateway, or a week of 100 pods at 50 s a task. They need about 160 MB of RabbitMQ's memory (32 bytes each) and, at
#: about 1.5 KB each, 8 GB of its disk.
EVENTS_MAX = 5_000_000
Version = tuple[int, int, int]


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: Literal["direct", "fanout", "topic"]


@dataclass(frozen=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """From an exchange to a queue."""

    exchange: str
    queue: str
    routing_key: str = ""


@dataclass(frozen=True)
class Policy:
    """A policy on exactly one queue."""

    name: str
    queue: str
    definition: JsonObject

    @property
    def pattern(self) -> str:
        """Regular expression that fits this queue only."""
        return f"^{re.escape(self.queue)}$"


@dataclass(frozen=True)
class Topology:
    """What must be there. Exchanges and queues first, then policies, then bindings; last what must not be there."""

    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    policies: tuple[Policy, ...] = ()
    bindings: tuple[Binding, ...] = ()
    unwanted: tuple[Binding, ...] = ()
    """Bindings that are taken away where they are found."""


@dataclass(frozen=True)
class WorkQueueOptions:
    """The settings of a pool that its queues follow."""

    queue: str
    message_ttl_seconds: int | None
    dead_retention_seconds: int | None
    longest_run_seconds: int
    janitor: bool = False
    """Whether a gateway's janitor takes what RabbitMQ itself dead-letters."""


def parse_version(text: str) -> Version:
    """``4.3.6`` or ``4.0.5+1.g…`` as three numbers; what is missing is 0."""
    found = [int(part) for part in re.findall(r"\d+", text)[:3]]
    return (*found, 0, 0, 0)[:3]  # type: ignore[return-value]


def vhost_topology(version: Version) -> Topology:
    """What the pools of a vhost share: events, control and callbacks exchanges, callbacks queue, delay steps."""
    steps = [(names.retry_step(seconds), seconds) for seconds in timing.RETRY_STEPS]
    return Topology(
        exchanges=(
            Exchange(names.EVENTS_EXCHANGE, "topic"),
            Exchange(names.CONTROL_EXCHANGE, "topic"),
            Exchange(names.CALLBACKS_EXCHANGE, "direct"),
            *(Exchange(name, "fanout") for name, _ in steps),
        ),
        queues=(
            _quorum(names.CALLBACKS_QUEUE),
            _quorum(names.CALLBACKS_DEAD_QUEUE),
            *(_quorum(name) for name, _ in steps),
        ),
        policies=(
            Policy(
                names.work_policy(names.CALLBACKS_QUEUE),
                names.CALLBACKS_QUEUE,
                {**_to_queue(names.CALLBACKS_DEAD_QUEUE), **_LAST_NET},
            ),
            Policy(
                names.dead_policy(names.CALLBACKS_QUEUE),
                names.CALLBACKS_DEAD_QUEUE,
                _keep(version),
            ),
            *(Policy(name, name, _delay(seconds)) for name, seconds in steps),
        ),
        bindings=(
            Binding(names.CALLBACKS_EXCHANGE, names.CALLBACKS_QUEUE, names.CALLBACKS_QUEUE),
            *(Binding(name, name) for name, _ in steps),
        ),
    )


def gateway_topology(version: Version, *, enabled: bool) -> Topology:
    """The gateway's queues in a vhost. Without a gateway nothing more comes into them; what is in them stays.

    The events queue drops its oldest when it is full: a worker's event is never refused.
    """
    bindings = tuple(
        Binding(names.EVENTS_EXCHANGE, names.GATEWAY_EVENTS_QUEUE, names.event_routing_key("*", event))
        for event in STATE_EVENTS
    )
    if not enabled:
        return Topology(unwanted=bindings)
    events: JsonObject = {"max-length": EVENTS_MAX, "overflow": "drop-head", **_unlimited_deliveries(version)}
    return Topology(
        queues=(_quorum(names.GATEWAY_EVENTS_QUEUE), _quorum(names.JANITOR_QUEUE)),
        policies=(
            Policy(names.work_policy(names.GATEWAY_EVENTS_QUEUE), names.GATEWAY_EVENTS_QUEUE, events),
            Policy(names.dead_policy(names.JANITOR_QUEUE), names.JANITOR_QUEUE, _keep(version)),
        ),
        bindings=bindings,
    )


def pool_topology(settings: WorkQueueOptions, version: Version) -> Topology:
    """Work queue and dead-letter queue of a pool, with a policy for each."""
    dead = names.dead_queue(settings.queue)
    work: JsonObject = {**_to_queue(names.JANITOR_QUEUE if settings.janitor else dead), **_LAST_NET}
    if settings.message_ttl_seconds is not None:
        work["message-ttl"] = settings.message_ttl_seconds * 1000
    if version >= (3, 12, 0):
        work["consumer-timeout"] = (
            settings.longest_run_seconds + timing.CONSUMER_TIMEOUT_MARGIN_SECONDS
        ) * 1000
    dead_definition = _keep(version)
    if settings.dead_retention_seconds is not None:
        dead_definition["message-ttl"] = settings.dead_retention_seconds * 1000
    return Topology(
        queues=(_quorum(dead), Queue(settings.queue)),
        policies=(
            Policy(names.dead_policy(settings.queue), dead, dead_definition),
            Policy(names.work_policy(settings.queue), settings.queue, work),
        ),
    )


def intake_topology(queue: str, version: Version) -> Topology:
    """An intake and its dead-letter queue, with a policy for each; pools that share the intake want the same."""
    dead = names.dead_queue(queue)
    return Topology(
        queues=(_quorum(dead), Queue(queue)),
        policies=(
            Policy(names.dead_policy(queue), dead, _keep(version)),
            Policy(names.work_policy(queue), queue, {**_to_queue(dead), **_LAST_NET}),
        ),
    )


def _quorum(name: str) -> Queue:
    return Queue(name, {"x-queue-type": "quorum"})


def _to_queue(queue: str) -> JsonObject:
    """Dead-letter to a queue by the default exchange; keys that a classic queue does not know are ignored by it."""
    return {
        "dead-letter-exchange": "",
        "dead-letter-routing-key": queue,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }


def _delay(seconds: int) -> JsonObject:
    return {
        "message-ttl": seconds * 1000,
        "dead-letter-exchange": "",
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }


def _keep(version: Version) -> JsonObject:
    """A dead-letter queue refuses when full, and loses nothing however often a person looks at its messages."""
    return {"overflow": "reject-publish", **_unlimited_deliveries(version)}


def _unlimited_deliveries(version: Version) -> JsonObject:
    """Where there is no dead-letter target, RabbitMQ deletes what is over the limit, which is 20 from 4.0."""
    return {"delivery-limit": -1} if version >= (4, 0, 0) else {}
