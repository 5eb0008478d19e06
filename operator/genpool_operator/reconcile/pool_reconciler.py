"""Reconciles one pool: passes of observe, plan and execute until nothing is left to do.

Calls for one pool never overlap; the caller sees to that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from genpool_core import names
from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.record import PoolRecord
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.brokers import BrokerConfig, BrokersFile
from genpool_core.conditions import ACCEPTED, Finding
from genpool_core.errors import BrokerError, GenPoolError, InvalidManifest, SettingsError
from genpool_core.intakes import intake_fault
from genpool_core.operatorkeys import Installation
from genpool_core.queue_ownership import queue_owner
from genpool_core.topology.plan import VhostFacts
from genpool_operator.decide.events import events_of
from genpool_operator.decide.manifests import PodDefaults
from genpool_operator.decide.objects import parse_deployment
from genpool_operator.decide.status import refused_status, worth_writing
from genpool_operator.decide.storage import refused_storage
from genpool_operator.decide.volumes import USUAL_VOLUMES
from genpool_operator.ports import Brokers, Cluster, ClusterCache, Workflows
from genpool_operator.reconcile.execute import Executor
from genpool_operator.reconcile.observed import Memory, ObjectState, Observed
from genpool_operator.reconcile.plan import Plan
from genpool_operator.reconcile.plan_pool import plan_pool

_log = structlog.get_logger(__name__)
#: A new pool needs four: for its vhost, its topology, users and objects, its login, and to see that all is there.
MAX_PASSES = 6
Clock = Callable[[], datetime]


class PoolReconciler:
    """Observes, plans and executes, one pool at a time."""

    def __init__(  # noqa: PLR0913, PLR0917 - its ports
        self,
        cluster: Cluster,
        view: ClusterCache,
        brokers: Brokers,
        workflows: Workflows,
        executor: Executor,
        brokers_file: BrokersFile,
        worker_image: tuple[str, str | None],
        clock: Clock,
        installation: Callable[[], Installation | None],
        *,
        allowed_volumes: tuple[str, ...] = USUAL_VOLUMES,
        gateway: bool = False,
    ) -> None:
        self._cluster = cluster
        self._view = view
        self._brokers = brokers
        self._workflows = workflows
        self._executor = executor
        self._brokers_file = brokers_file
        self._worker_image = worker_image
        self._allowed_volumes = allowed_volumes
        self._gateway = gateway
        self._clock = clock
        self._installation = installation
        self._memories: dict[str, Memory] = {}
        self._lock = threading.Lock()

    def is_known(self, pool: GenerationPool) -> bool:
        """Whether a full pass has planned this pool: a quick one goes by what that found."""
        return self._memory(pool.metadata.uid).accepted is not None

    def reconcile(self, pool: GenerationPool, *, full: bool) -> Plan:
        """Bring a pool to what it should be. ``full``: with its objects and topology, as with any spec not seen before.

        A pass does not rely on being told of a new spec: the answer to a write of the status may bring it first, and
        the watch's event is no news then.

        Raises
        ------
        GenPoolError
            Something failed; the status says so already where it could be written.
        """
        uid = pool.metadata.uid
        memory = self._memory(uid)
        generation = pool.metadata.generation
        full = full or memory.accepted is None or memory.seen_generation != generation
        if full:
            # Also where the pass fails: its retry has a time of its own.
            memory = replace(memory, seen_generation=generation)
            self._remember(uid, memory)
        # One that is refused is as one without a broker: nothing is asked, and nothing created.
        broker = refused_storage(pool) or self._broker(pool)
        if isinstance(broker, BrokerConfig):
            self._brokers.follow(broker, pool)
        failure: GenPoolError | None = None
        for _ in range(MAX_PASSES):
            plan = plan_pool(pool, self._observe(pool, broker, memory, full=full), self._clock())
            memory = plan.memory
            if not plan.acts or failure is not None:
                break
            config = broker if isinstance(broker, BrokerConfig) else None
            outcome = self._executor.execute(pool, plan, config, self._clock())
            memory, failure = outcome.memory, outcome.failure
            # One more pass without acts lets the status tell of a failure.
            full = full and failure is None
        self._remember(uid, memory)
        self._remember(uid, self._executor.report(pool, plan, self._clock()))
        self._executor.annotate(pool, plan)
        if failure is not None:
            raise failure
        return plan

    def refuse(self, record: PoolRecord) -> GenerationPoolStatus | None:
        """Write into the status of an object that cannot be read as a pool what is wrong with it, and return it.

        All else stays. None: it can be read.

        Raises
        ------
        ClusterError
            The status could not be written.
        """
        error = record.error
        if error is None:
            return None
        now = self._clock()
        finding = Finding(ACCEPTED, "False", error.reason, error.message)
        status = refused_status(record.meta, record.status.conditions, finding, now)
        if worth_writing(record.status, status, now, now):
            events = events_of(record.status.conditions, [finding])
            self._executor.write(record.meta, status, events, now)
        return status

    def forget(self, uid: str) -> None:
        """A pool is gone."""
        with self._lock:
            self._memories.pop(uid, None)
        self._brokers.forget(uid)

    def delete_login(self, pool: GenerationPool, *, overdue: bool) -> bool:
        """Delete a deleted pool's RabbitMQ users and its keys once its pods are gone, or ``overdue``. False: not yet.

        Raises
        ------
        GenPoolError
            Something could not be deleted, or the operator's keys are not known.
        """
        if self._view.pods(pool.metadata) and not overdue:
            return False
        broker, installation = self._broker(pool), self._installation()
        if installation is None:
            raise SettingsError("the operator's key Secret was not read yet.", reason="NoOperatorKey")
        if isinstance(broker, BrokerConfig):
            for key in installation.keys:
                self._brokers.delete_user(broker, names.worker_user(pool.metadata.uid, key.id))
        self._remove_keys(pool.metadata)
        return True

    def _remove_keys(self, meta: ObjectMeta) -> None:
        """A pool of the same name that was made meanwhile has the same keys, and has written its own."""
        key = (meta.namespace, meta.name)
        if any((pool.metadata.namespace, pool.metadata.name) == key for pool in self._view.pools()):
            return
        self._cluster.remove_keys(meta.namespace, names.WORKER_LOGINS, names.login_keys(meta.name))
        self._cluster.remove_keys(
            meta.namespace, names.CALLBACK_SECRETS, [names.callback_secret_key(meta.name)]
        )

    def _observe(
        self, pool: GenerationPool, broker: BrokerConfig | InvalidManifest, memory: Memory, *, full: bool
    ) -> Observed:
        deployment = self._view.deployment(pool.metadata)
        if full and isinstance(broker, BrokerConfig) and deployment is None:
            name = names.deployment(pool.metadata.name)
            body = self._cluster.get_deployment(pool.metadata.namespace, name)
            deployment = None if body is None else parse_deployment(body)
        return Observed(
            broker=broker,
            settings=self._settings(broker),
            queue_owner=queue_owner(pool, self._view.pools()) if full else None,
            intake_fault=intake_fault(pool, self._view.pools()) if full else None,
            objects=self._objects(pool, broker, memory)
            if full and isinstance(broker, BrokerConfig)
            else None,
            deployment=deployment,
            pods=tuple(self._view.pods(pool.metadata)),
            answers=self._brokers.answers(broker, pool) if isinstance(broker, BrokerConfig) else None,
            installation=self._installation(),
            gateway=self._gateway,
            memory=memory,
        )

    def _objects(self, pool: GenerationPool, broker: BrokerConfig, memory: Memory) -> ObjectState:
        namespace, name = pool.metadata.namespace, pool.metadata.name
        settled = memory.topology is None or memory.topology.status == "True"
        vhost = pool.spec.broker.vhost
        try:
            topology: VhostFacts | BrokerError = self._brokers.facts(broker, vhost, settled=settled)
        except BrokerError as error:
            topology = error
        return ObjectState(
            workflows=self._workflows.load(pool),
            config_map=self._cluster.get_config_map(namespace, names.config_map(name)),
            topology=topology,
        )

    def _settings(self, broker: BrokerConfig | InvalidManifest) -> PodDefaults | None:
        if isinstance(broker, InvalidManifest):
            return None
        image, policy = self._worker_image
        return PodDefaults(
            broker_host=broker.host,
            broker_port=broker.port,
            broker_tls=broker.tls,
            worker_image=image,
            worker_image_pull_policy=policy,
            broker_ca_certificates=broker.ca_certificates,
            allowed_volumes=self._allowed_volumes,
        )

    def _broker(self, pool: GenerationPool) -> BrokerConfig | InvalidManifest:
        wanted = pool.spec.broker
        try:
            return self._brokers_file.for_pool(wanted.name, wanted.vhost, pool.metadata.namespace)
        except InvalidManifest as error:
            return error

    def _memory(self, uid: str) -> Memory:
        with self._lock:
            return self._memories.get(uid) or Memory()

    def _remember(self, uid: str, memory: Memory) -> None:
        with self._lock:
            self._memories[uid] = memory
