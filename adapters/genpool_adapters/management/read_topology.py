"""A vhost's topology, as the management API shows it."""

from __future__ import annotations

from genpool_adapters.management.api import ManagementApi
from genpool_core.jsontypes import JsonObject
from genpool_core.topology.desired import Binding, parse_version
from genpool_core.topology.password import UserFact
from genpool_core.topology.plan import PolicyFact, QueueFact, VhostFacts

_QUEUE_COLUMNS = "?columns=name,type,durable,exclusive,auto_delete,policy,arguments"


def read_topology(api: ManagementApi, vhost: str) -> VhostFacts:
    """Ask for everything, eight requests for all pools of the vhost together.

    Raises
    ------
    BrokerError
        Refused, or no answer.
    """
    overview = api.get("overview")
    version = overview.get("rabbitmq_version") if isinstance(overview, dict) else None
    facts = VhostFacts(version=parse_version(str(version)), admin=api.username)
    if api.get("vhosts", vhost) is None:
        return VhostFacts(version=facts.version, admin=facts.admin, exists=False)
    return VhostFacts(
        version=facts.version,
        admin=facts.admin,
        exchanges={_text(row, "name"): _text(row, "type") for row in api.rows("exchanges", vhost)},
        policies={_text(row, "name"): _policy(row) for row in api.rows("policies", vhost)},
        bindings=frozenset(
            Binding(_text(row, "source"), _text(row, "destination"), _text(row, "routing_key"))
            for row in api.rows("bindings", vhost)
            if row.get("destination_type") == "queue"
        ),
        users={
            _text(row, "name"): UserFact(_text(row, "password_hash"), _text(row, "hashing_algorithm"))
            for row in api.rows("users")
        },
        permissions={
            _text(row, "user"): {key: _text(row, key) for key in ("configure", "write", "read")}
            for row in api.rows("vhosts", vhost, "permissions")
        },
        # After the policies, so that a policy that we see is one that these rows know of.
        queues={_text(row, "name"): _queue(row) for row in api.rows("queues", vhost, query=_QUEUE_COLUMNS)},
    )


def _queue(row: JsonObject) -> QueueFact:
    policy = row.get("policy")
    return QueueFact(
        type=_text(row, "type"),
        durable=row.get("durable") is not False,
        exclusive=row.get("exclusive") is True,
        auto_delete=row.get("auto_delete") is True,
        policy=policy if isinstance(policy, str) and policy else None,
    )


def _policy(row: JsonObject) -> PolicyFact:
    priority, definition = row.get("priority"), row.get("definition")
    return PolicyFact(
        pattern=_text(row, "pattern"),
        applies_to=_text(row, "apply-to"),
        priority=priority if isinstance(priority, int) else 0,
        definition=definition if isinstance(definition, dict) else {},
    )


def _text(row: JsonObject, key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""
