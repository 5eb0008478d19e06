"""A reconciler with our ports in memory, and what users, broker and pods do to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from genpool_core.api.status import Condition, GenerationPoolStatus
from genpool_core.brokers import BrokersFile
from genpool_core.operatorkeys import Installation
from genpool_operator.adapters.store import Store
from genpool_operator.ports import QueueAnswers
from genpool_operator.reconcile.execute import Executor
from genpool_operator.reconcile.plan import Plan
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from unit.operator.fakes import FakeBrokers, FakeCluster, FakeWorkflows
from unit.operator.pools import BROKER, INSTALLATION, NOW, UID, count, good_health, row, spec

POD_LABELS = {"app.kubernetes.io/instance": "pictures"}


@dataclass
class World:
    """A reconciler and all that is around it."""

    store: Store = field(default_factory=Store)
    brokers: FakeBrokers = field(default_factory=FakeBrokers)
    workflows: FakeWorkflows = field(default_factory=FakeWorkflows)
    now: datetime = NOW
    installation: Installation | None = INSTALLATION
    gateway: bool = False

    def __post_init__(self) -> None:
        self.cluster = FakeCluster(self.store)
        self.restart()

    def restart(self) -> None:
        """Another process: everything in memory is lost but what the watches list."""
        self.controller = PoolReconciler(
            self.cluster,
            self.store,
            self.brokers,
            self.workflows,
            Executor(self.cluster, self.brokers, self.store),
            BrokersFile(brokers=[BROKER]),
            ("genpool/worker:1", None),
            lambda: self.now,
            lambda: self.installation,
            gateway=self.gateway,
        )

    def put(self, generation: int = 1, **changes: object) -> None:
        """The user applies a pool."""
        meta = {
            "name": "pictures",
            "namespace": "team",
            "uid": UID,
            "generation": generation,
            "resourceVersion": str(self.cluster.version),
            "creationTimestamp": "2026-03-01T10:00:00Z",
        }
        record = self.store.record(("team", "pictures"))
        status = (
            {} if record is None else record.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        )
        self.store.put_pool({"metadata": meta, "spec": spec(**changes), "status": status})

    def look(self, *, full: bool = True, later: float = 0) -> Plan:
        self.now += timedelta(seconds=later)
        record = self.store.record(("team", "pictures"))
        assert record is not None
        assert record.pool is not None
        return self.controller.reconcile(record.pool, full=full)

    def tasks(self, waiting: int, running: int = 0) -> None:
        """The broker knows of so many tasks."""
        at = self.now
        self.brokers.given = QueueAnswers(
            good_health(),
            listed=replace(row(waiting, running), at=at),
            dead=replace(row(0, 0), at=at),
            counted=replace(count(waiting), at=at),
            workers=self.brokers.given.workers,
        )

    def pod(self, name: str, *, ready: bool = True) -> None:
        condition = {"type": "Ready", "status": "True" if ready else "False"}
        meta = {"name": name, "namespace": "team", "labels": POD_LABELS, "resourceVersion": "1"}
        self.store.put_pod({"metadata": meta, "status": {"conditions": [condition]}})

    @property
    def status(self) -> GenerationPoolStatus:
        record = self.store.record(("team", "pictures"))
        assert record is not None
        return record.status

    def condition(self, kind: str) -> Condition:
        return next(item for item in self.status.conditions if item.type == kind)

    @property
    def replicas(self) -> int:
        return int(self.cluster.objects["Deployment", "pictures-worker"]["spec"]["replicas"])
