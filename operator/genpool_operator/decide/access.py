"""The gateway's users on a broker, and the users of keys that were taken away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokersFile
from genpool_core.errors import InvalidManifest
from genpool_core.operatorkeys import Installation
from genpool_core.queue_ownership import age, intake_in_force
from genpool_core.topology.plan import BrokerUser, DeleteUser, PutUser, Step, VhostFacts, plan_users
from genpool_core.topology.rights import gateway_permissions

Place = tuple[str, str]
"""Name of a broker, and a vhost."""


def queues_of_pools(pools: Iterable[GenerationPool], brokers: BrokersFile) -> dict[Place, tuple[str, ...]]:
    """The queues that pools have on each broker and vhost, those of older pools first; none where they may not be."""
    found: dict[Place, list[str]] = {}
    for pool in sorted(pools, key=age):
        wanted = pool.spec.broker
        try:
            brokers.for_pool(wanted.name, wanted.vhost, pool.metadata.namespace)
        except InvalidManifest:
            continue
        here = found.setdefault((wanted.name, wanted.vhost), [])
        here += [pool.spec.queue.name, *filter(None, [intake_in_force(pool)])]
    return {place: tuple(queues) for place, queues in found.items()}


def gateway_users(
    broker: str, installation: Installation, queues: Sequence[str] | None = (), seen: VhostFacts | None = None
) -> tuple[BrokerUser, ...]:
    """The gateway's users on a broker: one for each key.

    ``queues``: of the pools in the vhost; None while the pools are not known, and each user keeps its rights in
    ``seen``.
    """
    held = {} if seen is None or queues is not None else seen.permissions
    rights = gateway_permissions(queues or ())
    users = ((names.gateway_user(key.id), key.gateway_password(broker)) for key in installation.keys)
    return tuple(
        BrokerUser(user, password, held.get(user, rights), installation.tag) for user, password in users
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
