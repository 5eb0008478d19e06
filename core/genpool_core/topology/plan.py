"""From the topology that is wanted and the one that is seen to the steps that lead there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from genpool_core.jsontypes import JsonObject
from genpool_core.topology.desired import POLICY_PRIORITY, Binding, Exchange, Policy, Queue, Topology, Version
from genpool_core.topology.password import UserFact, password_matches

POLICY_APPLIES_TO = "queues"
TYPE_ARGUMENT = "x-queue-type"


@dataclass(frozen=True)
class QueueFact:
    """A queue as it is."""

    type: str
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    policy: str | None = None


@dataclass(frozen=True)
class PolicyFact:
    """A policy as it is."""

    pattern: str
    applies_to: str
    priority: int
    definition: JsonObject


@dataclass(frozen=True)
class VhostFacts:
    """Everything about a vhost that the topology depends on."""

    version: Version
    exists: bool = True
    admin: str = ""
    exchanges: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, QueueFact] = field(default_factory=dict)
    policies: Mapping[str, PolicyFact] = field(default_factory=dict)
    bindings: frozenset[Binding] = frozenset()
    users: Mapping[str, UserFact] = field(default_factory=dict)
    permissions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class PutVhost:
    """Make the vhost."""


@dataclass(frozen=True)
class PutUser:
    """Make the user, or set its password and its tag."""

    name: str
    password: str = field(repr=False)
    tag: str = ""


@dataclass(frozen=True)
class DeleteUser:
    """Delete the user, and with it its connections."""

    name: str


@dataclass(frozen=True)
class PutPermissions:
    """Give a user exactly these rights on the vhost."""

    user: str
    rights: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DeleteBinding:
    """Take a binding away; what it has brought to its queue stays there."""

    binding: Binding


Step = DeleteBinding | PutVhost | Exchange | Queue | Policy | Binding | PutUser | PutPermissions | DeleteUser


@dataclass(frozen=True)
class BrokerUser:
    """A user that a program needs. ``tag``: of the installation that made it."""

    name: str
    password: str = field(repr=False)
    rights: Mapping[str, str]
    tag: str


@dataclass(frozen=True)
class TopologyPlan:
    """Steps in order, and what only a person can mend."""

    steps: tuple[Step, ...] = ()
    faults: tuple[str, ...] = ()


#: What to do about a queue that cannot be changed. Deleting it deletes its messages, which are somebody's tasks.
_REMEDY = (
    "Nothing was changed. Let its messages be consumed or move them away first (deleting a queue deletes what is in "
    "it), then delete the empty queue and GenPool makes it again; or give the pool another queue or vhost."
)
#: Keys for quorum queues. RabbitMQ 4 applies a policy that has one of them to a classic queue not at all.
_QUORUM_KEYS = frozenset({"dead-letter-strategy", "delivery-limit"})
FULL_RIGHTS: Mapping[str, str] = {"configure": ".*", "write": ".*", "read": ".*"}


def plan_topology(wanted: Topology, users: Sequence[BrokerUser], seen: VhostFacts) -> TopologyPlan:
    """Steps for what is missing or differs; what cannot be changed is a fault with what to do about it."""
    if not seen.exists:
        return TopologyPlan((PutVhost(), PutPermissions(seen.admin, _rights(FULL_RIGHTS))))
    wanted = replace(wanted, policies=tuple(_fitting(policy, seen) for policy in wanted.policies))
    faults = (*_exchange_faults(wanted, seen), *_queue_faults(wanted, seen), *_policy_faults(wanted, seen))
    steps: list[Step] = []
    if not _has(seen, seen.admin, FULL_RIGHTS):
        steps.append(PutPermissions(seen.admin, _rights(FULL_RIGHTS)))
    steps += [exchange for exchange in wanted.exchanges if exchange.name not in seen.exchanges]
    steps += [queue for queue in wanted.queues if queue.name not in seen.queues]
    steps += [
        policy for policy in wanted.policies if not _same_policy(policy, seen.policies.get(policy.name))
    ]
    steps += [binding for binding in wanted.bindings if binding not in seen.bindings]
    steps += [DeleteBinding(binding) for binding in wanted.unwanted if binding in seen.bindings]
    steps += plan_users(users, seen)
    return TopologyPlan(tuple(steps), faults)


def plan_users(users: Sequence[BrokerUser], seen: VhostFacts) -> list[Step]:
    """Steps that give each user its password, its tag and its rights on the vhost."""
    return [step for user in users for step in _user_steps(user, seen)]


def _user_steps(user: BrokerUser, seen: VhostFacts) -> list[Step]:
    steps: list[Step] = []
    known = seen.users.get(user.name)
    if known is None or password_matches(known, user.password) is False or user.tag not in known.tags:
        steps.append(PutUser(user.name, user.password, user.tag))
    if not _has(seen, user.name, user.rights):
        steps.append(PutPermissions(user.name, _rights(user.rights)))
    return steps


def _has(seen: VhostFacts, user: str, rights: Mapping[str, str]) -> bool:
    """An admin may have been given its rights in other words: it is enough that it has some."""
    found = seen.permissions.get(user)
    if found is None:
        return False
    return user == seen.admin or dict(found) == dict(rights)


def _rights(rights: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(rights.items()))


def _fitting(policy: Policy, seen: VhostFacts) -> Policy:
    """The policy for a queue as it is: a producer, or the default of the vhost, may have made it a classic one."""
    fact = seen.queues.get(policy.queue)
    if fact is None or fact.type != "classic":
        return policy
    kept = {key: value for key, value in policy.definition.items() if key not in _QUORUM_KEYS}
    return replace(policy, definition=kept)


def _same_policy(policy: Policy, fact: PolicyFact | None) -> bool:
    return fact == PolicyFact(policy.pattern, POLICY_APPLIES_TO, POLICY_PRIORITY, policy.definition)


def _exchange_faults(wanted: Topology, seen: VhostFacts) -> list[str]:
    return [
        f"Exchange {item.name} is of type {seen.exchanges[item.name]}, it must be {item.type}. If no other program "
        "uses it, delete it and GenPool makes it again, without any binding that others made to it; otherwise give "
        "the pool another vhost."
        for item in wanted.exchanges
        if seen.exchanges.get(item.name, item.type) != item.type
    ]


def _queue_faults(wanted: Topology, seen: VhostFacts) -> list[str]:
    found = [(item, seen.queues[item.name]) for item in wanted.queues if item.name in seen.queues]
    return [fault for item, fact in found if (fault := _queue_fault(item, fact)) is not None]


def _queue_fault(wanted: Queue, fact: QueueFact) -> str | None:
    """A work queue is wanted bare and may be of any type that can be consumed task by task."""
    kind = wanted.arguments.get(TYPE_ARGUMENT)
    if kind is not None and fact.type != kind:
        return f"Queue {wanted.name} is of type {fact.type}, it must be {kind}. {_REMEDY}"
    if fact.type == "stream":
        return f"Queue {wanted.name} is a stream, which cannot hand out tasks: give the pool another queue."
    if not fact.durable or fact.exclusive or fact.auto_delete:
        return (
            f"Queue {wanted.name} would not outlive its connection or the broker (durable {fact.durable}, "
            f"exclusive {fact.exclusive}, auto-delete {fact.auto_delete}). {_REMEDY}"
        )
    return None


def _policy_faults(wanted: Topology, seen: VhostFacts) -> list[str]:
    """Only one policy applies to a queue. Where ours is in place and another one applies, that one has to give way."""
    return [
        f"Policy {fact.policy} applies to queue {policy.queue} in place of {policy.name}: "
        f"have its owner lower its priority below {POLICY_PRIORITY}, or leave this queue out of its pattern."
        for policy in wanted.policies
        if (fact := seen.queues.get(policy.queue)) is not None
        and _same_policy(policy, seen.policies.get(policy.name))
        and fact.policy not in {None, policy.name}
    ]


def join(*parts: Topology) -> Topology:
    """One topology of several."""
    return Topology(
        exchanges=tuple(item for part in parts for item in part.exchanges),
        queues=tuple(item for part in parts for item in part.queues),
        policies=tuple(item for part in parts for item in part.policies),
        bindings=tuple(item for part in parts for item in part.bindings),
        unwanted=tuple(item for part in parts for item in part.unwanted),
    )
