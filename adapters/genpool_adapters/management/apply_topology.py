"""Taking the steps of a topology plan."""

from __future__ import annotations

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.rows import BindingRow
from genpool_core.jsontypes import JsonObject
from genpool_core.topology.desired import POLICY_PRIORITY, Binding, Exchange, Policy, Queue
from genpool_core.topology.plan import (
    POLICY_APPLIES_TO,
    DeleteBinding,
    DeleteUser,
    PutPermissions,
    PutUser,
    PutVhost,
    Step,
)


def apply_step(api: ManagementApi, vhost: str, step: Step) -> None:
    """Take one step; taking it again changes nothing.

    Raises
    ------
    BrokerError
        Refused, or no answer.
    """
    match step:
        case PutVhost():
            # Two spellings: 3.10 and 3.11 have the second. Versions that know neither ignore it.
            api.put("vhosts", vhost, body={"default_queue_type": "quorum", "defaultqueuetype": "quorum"})
        case PutUser():
            api.put("users", step.name, body={"password": step.password, "tags": step.tag})
        case DeleteUser():
            api.delete("users", step.name)
        case PutPermissions():
            api.put("permissions", vhost, step.user, body=dict(step.rights))
        case Exchange():
            api.put(
                "exchanges",
                vhost,
                step.name,
                body={"type": step.type, "durable": True, "auto_delete": False, "internal": False},
            )
        case Queue():
            body: JsonObject = {"durable": True, "auto_delete": False, "arguments": step.arguments}
            api.put("queues", vhost, step.name, body=body)
        case Policy():
            api.put(
                "policies",
                vhost,
                step.name,
                body={
                    "pattern": step.pattern,
                    "definition": step.definition,
                    "priority": POLICY_PRIORITY,
                    "apply-to": POLICY_APPLIES_TO,
                },
            )
        case DeleteBinding():
            _delete_binding(api, vhost, step.binding)
        case Binding():
            api.post(
                "bindings",
                vhost,
                "e",
                step.exchange,
                "q",
                step.queue,
                body={"routing_key": step.routing_key, "arguments": {}},
            )


def _delete_binding(api: ManagementApi, vhost: str, binding: Binding) -> None:
    """RabbitMQ knows a binding by a key of its own making."""
    place = ("bindings", vhost, "e", binding.exchange, "q", binding.queue)
    for row in api.rows(BindingRow, *place):
        if row.routing_key == binding.routing_key and row.properties_key:
            api.delete(*place, row.properties_key)
