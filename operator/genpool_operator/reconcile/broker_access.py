"""Who may log in to the brokers: the gateway's users and its Secret, and the end of users whose key was taken away.

A pool's own users are made with the pool. Nothing here waits for a pool, and one broker does not hold up another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from genpool_core import names
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import GenPoolError
from genpool_core.jsontypes import JsonObject
from genpool_core.operatorkeys import Installation
from genpool_operator.decide.access import gateway_users, plan_access
from genpool_operator.decide.manifests.gateway import build_gateway_login, build_signing_keys
from genpool_operator.decide.publication import Publication, is_due, published
from genpool_operator.ports import Brokers, Cluster

_log = structlog.get_logger(__name__)
SecretName = tuple[str, str]
"""Namespace and name of a Secret."""


class BrokerAccess:
    """Compares what is there with what should be. ``gateway``: its Secret; None where there is no gateway."""

    def __init__(
        self, cluster: Cluster, brokers: Brokers, configs: Sequence[BrokerConfig], gateway: SecretName | None
    ) -> None:
        self._cluster = cluster
        self._brokers = brokers
        self._configs = configs
        self._gateway = gateway
        self._published: dict[str, Publication] = {}
        self._troubles: dict[str, str] = {}

    def bring_up_to_date(self, installation: Installation, now: datetime) -> None:
        """Do what is to be done on each broker, and write the gateway's Secret. What fails is logged, once."""
        if self._gateway is not None:
            manifest = build_signing_keys(*self._gateway, installation)
            self._try("signing keys", partial(self._publish, manifest, names.FIELD_MANAGER, now))
        for broker in self._configs:
            self._try(f"broker {broker.name}", partial(self._broker, broker, installation, now))

    def _broker(self, broker: BrokerConfig, installation: Installation, now: datetime) -> None:
        users = () if self._gateway is None else gateway_users(broker.name, installation)
        for vhost in broker.vhosts:
            facts = self._brokers.facts(broker, vhost, settled=True)
            if steps := plan_access(users, installation, facts):
                self._brokers.provision(broker, vhost, steps)
                _log.info("broker_users_changed", broker=broker.name, vhost=vhost, steps=len(steps))
        if self._gateway is not None:
            # After its users: the gateway keeps the login before until the new one works.
            manifest = build_gateway_login(*self._gateway, broker.name, installation)
            self._publish(manifest, names.broker_manager(broker.name), now)

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
