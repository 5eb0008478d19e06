"""Who may log in to the brokers: the gateway's users and its Secret, and the end of users whose key was taken away.

A pool's own users are made with the pool. Nothing here waits for a pool, and one broker does not hold up another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig, BrokersFile
from genpool_core.errors import GenPoolError
from genpool_core.jsontypes import JsonObject
from genpool_core.operatorkeys import Installation
from genpool_core.topology.rights import named_reads
from genpool_operator.decide.access import Place, gateway_users, plan_access, queues_of_pools
from genpool_operator.decide.manifests.gateway import build_gateway_keys, build_gateway_login
from genpool_operator.decide.publication import Publication, is_due, published
from genpool_operator.ports import Brokers, Cluster

_log = structlog.get_logger(__name__)
SecretName = tuple[str, str]
"""Namespace and name of a Secret."""


class BrokerAccess:
    """Compares what is there with what should be.

    ``gateway``: its Secret; None where there is no gateway. ``pools``: all of them; None while they were not listed.
    """

    def __init__(
        self,
        cluster: Cluster,
        brokers: Brokers,
        brokers_file: BrokersFile,
        gateway: SecretName | None,
        pools: Callable[[], Sequence[GenerationPool] | None],
    ) -> None:
        self._cluster = cluster
        self._brokers = brokers
        self._brokers_file = brokers_file
        self._gateway = gateway
        self._pools = pools
        self._published: dict[str, Publication] = {}
        self._troubles: dict[str, str] = {}
        self._wide: set[Place] = set()

    def bring_up_to_date(self, installation: Installation, now: datetime) -> None:
        """Do what is to be done on each broker, and write the gateway's Secret. What fails is logged, once."""
        if self._gateway is not None:
            manifest = build_gateway_keys(*self._gateway, installation)
            self._try("gateway's keys", partial(self._publish, manifest, names.FIELD_MANAGER, now))
        pools = self._pools()
        queues = None if pools is None else queues_of_pools(pools, self._brokers_file)
        for broker in self._brokers_file.brokers:
            self._try(f"broker {broker.name}", partial(self._broker, broker, installation, queues, now))

    def _broker(
        self,
        broker: BrokerConfig,
        installation: Installation,
        queues: Mapping[Place, tuple[str, ...]] | None,
        now: datetime,
    ) -> None:
        for vhost in broker.vhosts:
            here = None if queues is None else queues.get((broker.name, vhost), ())
            self._vhost(broker, vhost, installation, here)
        if self._gateway is not None:
            # After its users: the gateway keeps the login before until the new one works.
            manifest = build_gateway_login(*self._gateway, broker.name, installation)
            self._publish(manifest, names.broker_manager(broker.name), now)

    def _vhost(
        self, broker: BrokerConfig, vhost: str, installation: Installation, queues: tuple[str, ...] | None
    ) -> None:
        facts = self._brokers.facts(broker, vhost, settled=True)
        users = () if self._gateway is None else gateway_users(broker.name, installation, queues, facts)
        if steps := plan_access(users, installation, facts):
            self._brokers.provision(broker, vhost, steps)
            _log.info("broker_users_changed", broker=broker.name, vhost=vhost, steps=len(steps))
        if users and queues is not None:
            self._tell_wide((broker.name, vhost), queues)

    def _tell_wide(self, place: Place, queues: tuple[str, ...]) -> None:
        """Log once where the gateway's rights cannot name the queues."""
        if named_reads(queues) is not None:
            self._wide.discard(place)
        elif place not in self._wide:
            self._wide.add(place)
            _log.warning("gateway_reads_all_queues", broker=place[0], vhost=place[1], queues=len(set(queues)))

    def _publish(self, manifest: JsonObject, manager: str, now: datetime) -> None:
        if is_due(manifest, self._published.get(manager), now):
            self._cluster.apply(manifest, manager=manager)
            self._published[manager] = published(manifest, now)

    def _try(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except GenPoolError as error:
            if self._troubles.get(what) != error.message:
                _log.warning("broker_access_failed", subject=what, reason=error.reason, message=error.message)
            self._troubles[what] = error.message
        else:
            self._troubles.pop(what, None)
