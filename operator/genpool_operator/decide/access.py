"""The gateway's users on a broker, and the users of keys that were taken away."""

from __future__ import annotations

from collections.abc import Sequence

from genpool_core import names
from genpool_core.operatorkeys import Installation
from genpool_core.topology.desired import gateway_permissions
from genpool_core.topology.plan import BrokerUser, DeleteUser, PutUser, Step, VhostFacts, plan_users


def gateway_users(broker: str, installation: Installation) -> tuple[BrokerUser, ...]:
    """The gateway's users on a broker: one for each key."""
    return tuple(
        BrokerUser(
            names.gateway_user(key.id),
            key.gateway_password(broker),
            gateway_permissions(),
            installation.tag,
        )
        for key in installation.keys
    )


def plan_access(gateway: Sequence[BrokerUser], installation: Installation, seen: VhostFacts) -> list[Step]:
    """Steps that give the gateway its users, and take away those that nobody may be any more.

    Only users with this installation's tag are deleted: others on the same broker are another operator's.
    """
    steps = plan_users(gateway, seen)
    if not seen.exists:
        # Rights on a vhost need the vhost; a user without any is told that there is none.
        steps = [step for step in steps if isinstance(step, PutUser)]
    return [*steps, *_retired(gateway, installation, seen)]


def _retired(gateway: Sequence[BrokerUser], installation: Installation, seen: VhostFacts) -> list[Step]:
    ours = [name for name, user in seen.users.items() if installation.tag in user.tags]
    return [DeleteUser(name) for name in sorted(ours) if not _honoured(name, gateway, installation)]


def _honoured(name: str, gateway: Sequence[BrokerUser], installation: Installation) -> bool:
    key_id = names.key_of_user(name)
    if key_id is None:
        return True
    unwanted = names.is_gateway_user(name) and not gateway
    return key_id in installation.key_ids and not unwanted
