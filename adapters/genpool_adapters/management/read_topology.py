"""A vhost's topology, as the management API shows it."""

from __future__ import annotations

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.rows import (
    BindingRow,
    ExchangeRow,
    Overview,
    PermissionRow,
    PolicyRow,
    QueueRow,
    UserRow,
)
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
    overview = Overview.read_object(api.get("overview"))
    version, admin = parse_version(overview.rabbitmq_version), api.username
    users = {
        row.name: UserFact(row.password_hash, row.hashing_algorithm, row.tags)
        for row in api.rows(UserRow, "users")
    }
    if api.get("vhosts", vhost) is None:
        return VhostFacts(version=version, admin=admin, exists=False, users=users)
    return VhostFacts(
        version=version,
        admin=admin,
        exchanges={row.name: row.type for row in api.rows(ExchangeRow, "exchanges", vhost)},
        policies={row.name: _policy(row) for row in api.rows(PolicyRow, "policies", vhost)},
        bindings=frozenset(
            Binding(row.source, row.destination, row.routing_key)
            for row in api.rows(BindingRow, "bindings", vhost)
            if row.destination_type == "queue"
        ),
        users=users,
        permissions={
            row.user: {"configure": row.configure, "write": row.write, "read": row.read}
            for row in api.rows(PermissionRow, "vhosts", vhost, "permissions")
        },
        # After the policies, so that a policy that we see is one that these rows know of.
        queues={row.name: _queue(row) for row in api.rows(QueueRow, "queues", vhost, query=_QUEUE_COLUMNS)},
    )


def _queue(row: QueueRow) -> QueueFact:
    return QueueFact(
        type=row.type,
        durable=row.durable,
        exclusive=row.exclusive,
        auto_delete=row.auto_delete,
        policy=row.policy or None,
    )


def _policy(row: PolicyRow) -> PolicyFact:
    return PolicyFact(
        pattern=row.pattern,
        applies_to=row.applies_to,
        priority=row.priority,
        definition=row.definition,
    )
