"""``python -m genpool_cli.local.topology FOLDER``: keeps the topology of the pool as the operator does on a cluster."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import structlog

from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.logs import configure_logging
from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.apply_topology import apply_step
from genpool_adapters.management.read_topology import read_topology
from genpool_adapters.manifest_files import manifests_of
from genpool_cli.local.folder import Folder, topology_state, write
from genpool_cli.local.keys import BROKER, operator_key
from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.errors import BrokerError
from genpool_core.manifests import read_manifests
from genpool_core.operatorkeys import OperatorKey
from genpool_core.topology.of_pool import wanted_topology
from genpool_core.topology.plan import BrokerUser, plan_topology
from genpool_core.topology.rights import gateway_permissions, worker_permissions

_log = structlog.get_logger("genpool_cli.local.topology")
#: Of the users that it makes.
_TAG = "genpool-local"


def users_of(pool: GenerationPool, key: OperatorKey) -> list[BrokerUser]:
    """The users of worker and gateway. Pure."""
    uid, queue = pool.metadata.uid, pool.spec.queue
    queues = [queue.name, *([queue.intake] if queue.intake else [])]
    return [
        BrokerUser(
            names.worker_user(uid, key.id),
            key.worker_password(uid),
            worker_permissions(queue.name, uid),
            _TAG,
        ),
        BrokerUser(
            names.gateway_user(key.id), key.gateway_password(BROKER), gateway_permissions(queues), _TAG
        ),
    ]


def settle(api: ManagementApi, pool: GenerationPool, key: OperatorKey) -> tuple[str, ...]:
    """Make what is missing; what only a person can mend. Raises BrokerError."""
    vhost = pool.spec.broker.vhost
    facts = read_topology(api, vhost)
    wanted = wanted_topology(pool, facts.version, gateway=True, intake=pool.spec.queue.intake)
    plan = plan_topology(wanted, users_of(pool, key), facts)
    for step in plan.steps:
        apply_step(api, vhost, step)
    if plan.steps:
        _log.info("topology_provisioned", vhost=vhost, steps=len(plan.steps))
    return plan.faults


def pause(said: str, *, settled: bool) -> float:
    """Seconds until the next look. Pure. ``settled``: whether it was right once; until then programs wait for it."""
    if not said:
        return timing.TOPOLOGY_SECONDS
    return timing.TOPOLOGY_UNSETTLED_SECONDS if settled else timing.LOCAL_LOOK_SECONDS


def main() -> None:
    """Look at it until SIGTERM."""
    configure_logging("local")
    folder, over = Folder(Path(sys.argv[1])), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    (broker,) = load_brokers(folder.work / "brokers.yaml").brokers
    (pool,) = read_manifests(manifests_of(folder.work / "pools")).pools
    key, api = operator_key(folder), ManagementApi(broker)
    told: str | None = None
    state, settled, wait = topology_state(folder), False, 0.0
    while not over.wait(wait):
        try:
            said = " ".join(settle(api, pool, key))
        except BrokerError as error:
            said = error.message
        if said != told:
            write(state, said)
            if said:
                _log.warning("topology_not_settled", message=said)
        told, settled = said, settled or not said
        wait = pause(said, settled=settled)


if __name__ == "__main__":
    main()
