"""``python -m genpool_cli.local.topology FOLDER``: keeps the topology of the pool, and its status.

As the operator does on a cluster. The status lies in the pool's file, where the gateway reads it.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.logs import configure_logging
from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.apply_topology import apply_step
from genpool_adapters.management.read_topology import read_topology
from genpool_adapters.manifest_files import manifests_of
from genpool_adapters.signals import EndSignal, end_signal
from genpool_cli.local.folder import Folder, pools_file, topology_state, write
from genpool_cli.local.keys import BROKER, operator_key
from genpool_cli.local.program_file import read_programs
from genpool_cli.local.readiness import unready
from genpool_cli.local.status import Seen, is_news, read_queue, status_of, write_status
from genpool_cli.local.supervision import WORKER
from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.status import GenerationPoolStatus, QueueStatus
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


class Keeper:
    """Keeps the topology of one pool, and says in its status what is seen of it."""

    def __init__(self, folder: Folder) -> None:
        (broker,) = load_brokers(folder.work / "brokers.yaml").brokers
        (self._pool,) = read_manifests(manifests_of(folder.work / "pools")).pools
        self._folder = folder
        self._key = operator_key(folder)
        self._api = ManagementApi(broker)
        self._worker = next(each for each in read_programs(folder) if each.name == WORKER)
        self._told: str | None = None
        self._settled = False
        self._status = GenerationPoolStatus()

    def run(self, over: EndSignal) -> None:
        """Look until told to end."""
        due = time.monotonic()
        while not over.wait(min(due - time.monotonic(), self._look())):
            if time.monotonic() >= due:
                due = time.monotonic() + self._settle()
            if self._settled:
                self._say(datetime.now(UTC))

    def _look(self) -> float:
        """Seconds until the next look at the worker and the queue: soon, while somebody waits for them to be ready."""
        return timing.POOLS_FILES_SECONDS if self._status.ready_replicas else timing.LOCAL_LOOK_SECONDS

    def _settle(self) -> float:
        """Make what is missing; seconds until the next look."""
        try:
            said = " ".join(settle(self._api, self._pool, self._key))
        except BrokerError as error:
            said = error.message
        if said != self._told:
            write(topology_state(self._folder), said)
            if said:
                _log.warning("topology_not_settled", message=said)
        self._told, self._settled = said, self._settled or not said
        return pause(said, settled=self._settled)

    def _say(self, now: datetime) -> None:
        """Write the status where it is another."""
        spec, topology = self._pool.spec, self._told or ""
        try:
            queue = read_queue(self._api, spec.broker.vhost, spec.queue.name, now)
        except BrokerError as error:
            queue, topology = QueueStatus(observed_at=now), error.message
        status = status_of(self._status, Seen(queue, topology, unready(self._worker)), now)
        if is_news(self._status, status):
            write_status(pools_file(self._folder), status)
            self._status = status


def main() -> None:
    """Keep it until SIGTERM."""
    configure_logging("local")
    Keeper(Folder(Path(sys.argv[1]))).run(end_signal())


if __name__ == "__main__":
    main()
