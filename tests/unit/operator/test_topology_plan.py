"""From the topology that is wanted and the one that is seen to steps and faults."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from genpool_core.topology.desired import POLICY_PRIORITY, Binding, Exchange, Policy, Queue, Topology
from genpool_core.topology.password import UserFact, password_matches
from genpool_core.topology.plan import (
    FULL_RIGHTS,
    BrokerUser,
    DeleteBinding,
    PolicyFact,
    PutPermissions,
    PutUser,
    PutVhost,
    QueueFact,
    Step,
    VhostFacts,
    plan_topology,
)

VERSION = (4, 3, 6)
RETRY = Queue("genpool.retry.5s", {"x-queue-type": "quorum"})
WORK = Queue("tasks")
EVENTS = Exchange("genpool.events", "topic")
POLICY = Policy("genpool.work.tasks", "tasks", {"delivery-limit": -1})
BINDING = Binding("genpool.retry.5s", "genpool.retry.5s")
WANTED = Topology((EVENTS,), (RETRY, WORK), (POLICY,), (BINDING,))
RIGHTS = {"configure": "^$", "write": "^x$", "read": "^tasks$"}
USER = BrokerUser("genpool.worker.1.0a1b2c3d", "right", RIGHTS, "tag-1")


def hashed(
    password: str, algorithm: str = "sha256", salt: bytes = b"salt", tags: tuple[str, ...] = ("tag-1",)
) -> UserFact:
    digest = hashlib.new(algorithm, salt + password.encode()).digest()
    return UserFact(base64.b64encode(salt + digest).decode(), f"rabbit_password_hashing_{algorithm}", tags)


def fact(policy: Policy, **changes: object) -> PolicyFact:
    made = PolicyFact(policy.pattern, "queues", POLICY_PRIORITY, policy.definition)
    return replace(made, **changes)  # type: ignore[arg-type]


COMPLETE = VhostFacts(
    version=VERSION,
    admin="genpool",
    exchanges={"genpool.events": "topic", "": "direct"},
    queues={
        "genpool.retry.5s": QueueFact("quorum"),
        "tasks": QueueFact("quorum", policy="genpool.work.tasks"),
        "others": QueueFact("stream"),
    },
    policies={"genpool.work.tasks": fact(POLICY)},
    bindings=frozenset({BINDING}),
    users={"genpool": hashed("x"), USER.name: hashed("right")},
    permissions={"genpool": dict(FULL_RIGHTS), USER.name: RIGHTS},
)
USER_RIGHTS = PutPermissions(USER.name, tuple(sorted(RIGHTS.items())))


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        pytest.param(COMPLETE, (), id="complete: nothing to do"),
        pytest.param(
            VhostFacts(VERSION, exists=False, admin="genpool"),
            (PutVhost(), PutPermissions("genpool", tuple(sorted(FULL_RIGHTS.items())))),
            id="no vhost: make it first",
        ),
        pytest.param(
            VhostFacts(VERSION, admin="genpool", permissions={"genpool": {"configure": "genpool.*"}}),
            (EVENTS, RETRY, WORK, POLICY, BINDING, PutUser(USER.name, "right", "tag-1"), USER_RIGHTS),
            id="an empty vhost: all of it, in order",
        ),
        pytest.param(
            replace(COMPLETE, permissions={USER.name: RIGHTS}),
            (PutPermissions("genpool", tuple(sorted(FULL_RIGHTS.items()))),),
            id="no rights of our own",
        ),
        pytest.param(
            replace(COMPLETE, users={USER.name: hashed("stolen")}),
            (PutUser(USER.name, "right", "tag-1"),),
            id="another password",
        ),
        pytest.param(
            replace(COMPLETE, users={USER.name: hashed("right", tags=())}),
            (PutUser(USER.name, "right", "tag-1"),),
            id="somebody took its tag",
        ),
        pytest.param(
            replace(COMPLETE, permissions={"genpool": {}, USER.name: {**RIGHTS, "read": ".*"}}),
            (USER_RIGHTS,),
            id="too many rights",
        ),
        pytest.param(
            replace(COMPLETE, policies={"genpool.work.tasks": fact(POLICY, priority=0)}),
            (POLICY,),
            id="lower priority",
        ),
        pytest.param(
            replace(
                COMPLETE, policies={"genpool.work.tasks": fact(POLICY, definition={"delivery-limit": 20})}
            ),
            (POLICY,),
            id="another definition",
        ),
        pytest.param(
            replace(COMPLETE, policies={"genpool.work.tasks": fact(POLICY, applies_to="exchanges")}),
            (POLICY,),
            id="applies to something else",
        ),
        pytest.param(
            replace(
                COMPLETE,
                policies={},
                queues={**COMPLETE.queues, "tasks": QueueFact("quorum", policy="everything")},
            ),
            (POLICY,),
            id="another policy applies because ours is not there yet",
        ),
        pytest.param(replace(COMPLETE, bindings=frozenset()), (BINDING,), id="a binding was deleted"),
        pytest.param(
            replace(COMPLETE, queues={"tasks": QueueFact("quorum")}), (RETRY,), id="a delay queue was deleted"
        ),
    ],
)
def test_steps(seen: VhostFacts, steps: tuple[Step, ...]) -> None:
    plan = plan_topology(WANTED, [USER], seen)
    assert plan.steps == steps
    assert plan.faults == ()


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        (
            replace(COMPLETE, exchanges={"genpool.events": "fanout"}),
            "Exchange genpool.events is of type fanout, it must be topic. If no other program uses it,",
        ),
        (
            replace(COMPLETE, queues={**COMPLETE.queues, "genpool.retry.5s": QueueFact("classic")}),
            (
                "Queue genpool.retry.5s is of type classic, it must be quorum. "
                "Nothing was changed. Let its messages be consumed or move them away first"
            ),
        ),
        (
            replace(COMPLETE, queues={**COMPLETE.queues, "tasks": QueueFact("stream")}),
            "Queue tasks is a stream, which cannot hand out tasks: give the pool another queue.",
        ),
        (
            replace(COMPLETE, queues={**COMPLETE.queues, "tasks": QueueFact("quorum", durable=False)}),
            (
                "Queue tasks would not outlive its connection or the broker (durable False, exclusive False, "
                "auto-delete False). Nothing was changed. Let its messages be consumed"
            ),
        ),
        (
            replace(COMPLETE, queues={**COMPLETE.queues, "tasks": QueueFact("quorum", exclusive=True)}),
            (
                "Queue tasks would not outlive its connection or the broker (durable True, exclusive True, "
                "auto-delete False). Nothing was changed. Let its messages be consumed"
            ),
        ),
        (
            replace(COMPLETE, queues={**COMPLETE.queues, "tasks": QueueFact("quorum", auto_delete=True)}),
            (
                "Queue tasks would not outlive its connection or the broker (durable True, exclusive False, "
                "auto-delete True). Nothing was changed. Let its messages be consumed"
            ),
        ),
        (
            replace(COMPLETE, queues={**COMPLETE.queues, "tasks": QueueFact("quorum", policy="everything")}),
            (
                "Policy everything applies to queue tasks in place of genpool.work.tasks: "
                "have its owner lower its priority below 1000"
            ),
        ),
    ],
)
def test_faults_say_what_to_do(seen: VhostFacts, fault: str) -> None:
    plan = plan_topology(WANTED, [USER], seen)
    (told,) = plan.faults
    assert told.startswith(fault)
    # Advice to delete says what is lost by it.
    assert "delete" not in told or "deletes what is in it" in told or "without any binding" in told
    assert plan.steps == ()


def test_a_classic_work_queue_has_a_policy_that_rabbitmq_applies_to_it() -> None:
    """RabbitMQ 4 applies one with a key for quorum queues to it not at all, and what is rejected is deleted."""
    full = Policy(POLICY.name, "tasks", {"delivery-limit": 9, "dead-letter-strategy": "x", "message-ttl": 5})
    wanted, bare = replace(WANTED, policies=(full,)), replace(full, definition={"message-ttl": 5})

    def steps(kind: str, policy: Policy) -> tuple[Step, ...]:
        queues = {**COMPLETE.queues, "tasks": QueueFact(kind, policy=POLICY.name)}
        seen = replace(COMPLETE, queues=queues, policies={POLICY.name: fact(policy)})
        plan = plan_topology(wanted, [USER], seen)
        assert plan.faults == ()
        return plan.steps

    assert steps("classic", full) == (bare,)
    assert steps("classic", bare) == ()
    assert steps("quorum", full) == ()
    assert steps("quorum", bare) == (full,)


def test_what_must_not_be_there_is_taken_away_and_nothing_else() -> None:
    other = replace(BINDING, queue="somebody's")
    wanted = replace(WANTED, bindings=(), unwanted=(BINDING,))
    seen = replace(COMPLETE, bindings=COMPLETE.bindings | {other})
    assert plan_topology(wanted, [USER], seen).steps == (DeleteBinding(BINDING),)
    assert plan_topology(wanted, [USER], replace(seen, bindings=frozenset({other}))).steps == ()


def test_full_rights_are_all_that_rabbitmq_knows() -> None:
    assert FULL_RIGHTS == {"configure": ".*", "write": ".*", "read": ".*"}


def test_a_password_is_in_no_repr() -> None:
    assert "'right'" not in repr(USER)
    assert "right" not in repr(PutUser("name", "right"))


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (hashed("right"), True),
        (hashed("right", "sha512"), True),
        (hashed("wrong"), False),
        (UserFact("", "rabbit_password_hashing_sha256"), False),
        (UserFact("!", "rabbit_password_hashing_sha256"), False),
        (UserFact(hashed("right").password_hash, "rabbit_password_hashing_md5"), None),
        # As RabbitMQ 3.10.8 gave it out for the user guest.
        (
            UserFact("ZtOGYIC7PZxivyFX4xB9Uv9P/Bh+SmyyH06rB+FOaW7PbXcG", "rabbit_password_hashing_sha256"),
            False,
        ),
    ],
)
def test_passwords_are_compared_by_hash(user: UserFact, *, expected: bool | None) -> None:
    assert password_matches(user, "right") is expected


def test_a_hash_that_rabbitmq_made() -> None:
    made = UserFact("ZtOGYIC7PZxivyFX4xB9Uv9P/Bh+SmyyH06rB+FOaW7PbXcG", "rabbit_password_hashing_sha256")
    assert password_matches(made, "guest") is True
