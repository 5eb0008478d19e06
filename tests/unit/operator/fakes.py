"""Our ports, in memory: they record what was asked of them, and fail on demand."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from genpool_core import names
from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError, ClusterError
from genpool_core.jsontypes import JsonObject
from genpool_core.topology.desired import Binding, Exchange, Policy, Queue, parse_version
from genpool_core.topology.password import UserFact
from genpool_core.topology.plan import (
    DeleteBinding,
    DeleteUser,
    PolicyFact,
    PutPermissions,
    PutUser,
    PutVhost,
    QueueFact,
    Step,
    VhostFacts,
)
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_operator.adapters.store import Store
from genpool_operator.decide.events import PoolEvent
from genpool_operator.decide.objects import ConfigMapView, parse_owner
from genpool_operator.ports import QueueAnswers
from unit.operator.pools import good_health

TEMPLATE = '{"6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}}}'
PARAMETERS = (
    "description: x\nparameters:\n  prompt: {schema: {type: string}, targets: [{node: '6', input: text}]}\n"
)


@dataclass
class FakeCluster:
    """An API server that keeps what is applied. ``fail`` holds errors by the method that raises them next."""

    store: Store
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    events: list[PoolEvent] = field(default_factory=list)
    statuses: list[GenerationPoolStatus] = field(default_factory=list)
    costs: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    fail: dict[str, list[ClusterError]] = field(default_factory=dict)
    refuse: dict[str, ClusterError] = field(default_factory=dict)
    """By kind: what the operator's own applies get, until it is taken out. The initial Deployment is made."""
    version: int = 100
    edits: list[dict[str, Any]] = field(default_factory=list)
    """Specs that a user applies just before the next writes of the status."""

    def get_config_map(self, _namespace: str, name: str) -> ConfigMapView | None:
        self._may_fail("get")
        found = self.objects.get(("ConfigMap", name))
        return None if found is None else ConfigMapView(parse_owner(found), dict(found["data"]))

    def get_deployment(self, _namespace: str, name: str) -> JsonObject | None:
        return self.objects.get(("Deployment", name))

    def apply(self, manifest: JsonObject, *, manager: str | None = None) -> JsonObject:
        name = str(manifest["metadata"]["name"])  # type: ignore[index,call-overload]
        what = name if manifest["kind"] == "Secret" else str(manifest["kind"])
        self.calls.append(f"apply {what}{' by ' + manager if manager else ''}")
        self._may_fail("apply")
        self._may_fail(f"apply {what}")
        if manager is None and manifest["kind"] in self.refuse:
            raise self.refuse[str(manifest["kind"])]
        key = (str(manifest["kind"]), name)
        before = self.objects.get(key, {})
        body: dict[str, Any] = copy.deepcopy(manifest)
        if key[0] == "Secret":
            body["data"] = {**before.get("data", {}), **body["data"]}
        if key[0] == "Deployment":
            body["spec"].setdefault("replicas", before.get("spec", {}).get("replicas", 1))
        body["metadata"] |= {"uid": f"uid-of-{name}", "resourceVersion": self.next_version()}
        self.objects[key] = body
        return body

    def remove_keys(self, _namespace: str, secret: str, keys: Sequence[str]) -> None:
        self._may_fail("remove")
        found = self.objects.get(("Secret", secret), {"data": {}})
        for key in keys:
            found["data"].pop(key, None)

    def scale(self, _namespace: str, deployment: str, replicas: int) -> str:
        self.calls.append(f"scale {replicas}")
        self._may_fail("scale")
        self.objects["Deployment", deployment]["spec"]["replicas"] = replicas
        return self.next_version()

    def set_deletion_cost(self, _namespace: str, pod: str, cost: int) -> None:
        self._may_fail("cost")
        self.costs[pod] = cost

    def set_image_digest(self, _namespace: str, pod: str, digest: str) -> None:
        self.calls.append(f"digest {pod}")
        self._may_fail("digest")
        self.digests[pod] = digest

    def delete_pod(self, _namespace: str, pod: str) -> None:
        self.calls.append(f"delete {pod}")
        self._may_fail("delete")
        self.deleted.append(pod)

    def write_status(self, meta: ObjectMeta, status: GenerationPoolStatus) -> JsonObject:
        self._may_fail("status")
        self.statuses.append(status)
        record = self.store.record((meta.namespace, meta.name))
        assert record is not None
        spec = {} if record.pool is None else record.pool.spec.model_dump(mode="json", exclude_none=True)
        changed: dict[str, Any] = {"resource_version": self.next_version()}
        if self.edits:
            spec = self.edits.pop(0)
            changed["generation"] = record.meta.generation + 1
        return {
            "kind": names.KIND,
            "metadata": record.meta.model_copy(update=changed).model_dump(
                mode="json", by_alias=True, exclude_none=True
            ),
            "spec": spec,
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }

    def post_event(self, _meta: ObjectMeta, event: PoolEvent, _now: datetime) -> None:
        self._may_fail("event")
        self.events.append(event)

    def next_version(self) -> str:
        self.version += 1
        return str(self.version)

    def _may_fail(self, what: str) -> None:
        if self.fail.get(what):
            raise self.fail[what].pop(0)


@dataclass
class FakeBrokers:
    """A broker whose vhost remembers the steps taken. ``down``: what every question gets."""

    seen: VhostFacts = field(
        default_factory=lambda: VhostFacts(parse_version("4.3.6"), exists=False, admin="genpool")
    )
    given: QueueAnswers = field(default_factory=lambda: QueueAnswers(good_health()))
    down: BrokerError | None = None
    refuse: BrokerError | None = None
    steps: list[Step] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    asked_settled: list[bool] = field(default_factory=list)

    def follow(self, _broker: BrokerConfig, _pool: GenerationPool) -> None:
        pass

    def forget(self, uid: str) -> None:
        self.forgotten.append(uid)

    def answers(self, _broker: BrokerConfig, _pool: GenerationPool) -> QueueAnswers:
        return self.given

    def facts(self, _broker: BrokerConfig, _vhost: str, *, settled: bool) -> VhostFacts:
        self.asked_settled.append(settled)
        if self.down is not None:
            raise self.down
        return self.seen

    def provision(self, _broker: BrokerConfig, _vhost: str, steps: Sequence[Step]) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.steps += steps
        for step in steps:
            self.seen = self._after(step)

    def delete_user(self, _broker: BrokerConfig, name: str) -> None:
        if self.down is not None:
            raise self.down
        self.deleted.append(name)

    def _after(self, step: Step) -> VhostFacts:  # noqa: PLR0911 - one for each kind of step
        seen = self.seen
        match step:
            case PutVhost():
                return replace(seen, exists=True)
            case Exchange():
                return replace(seen, exchanges={**seen.exchanges, step.name: step.type})
            case Queue():
                fact = QueueFact(str(step.arguments.get("x-queue-type", "classic")))
                return replace(seen, queues={**seen.queues, step.name: fact})
            case Policy():
                made = PolicyFact(step.pattern, "queues", 1000, step.definition)
                return replace(seen, policies={**seen.policies, step.name: made})
            case Binding():
                return replace(seen, bindings=seen.bindings | {step})
            case DeleteBinding():
                return replace(seen, bindings=seen.bindings - {step.binding})
            case PutUser():
                self.passwords[step.name] = step.password
                made_user = UserFact("", "unknown to us", (step.tag,))
                return replace(seen, users={**seen.users, step.name: made_user})
            case DeleteUser():
                self.deleted.append(step.name)
                left = {name: user for name, user in seen.users.items() if name != step.name}
                return replace(seen, users=left)
            case PutPermissions():
                return replace(seen, permissions={**seen.permissions, step.user: dict(step.rights)})


@dataclass
class FakeWorkflows:
    """One good workflow, or what a test puts in its place."""

    found: Mapping[str, WorkflowFiles | MissingFiles] = field(
        default_factory=lambda: {"text-to-image": WorkflowFiles(TEMPLATE, PARAMETERS)}
    )

    def load(self, _pool: GenerationPool) -> Mapping[str, WorkflowFiles | MissingFiles]:
        return self.found
