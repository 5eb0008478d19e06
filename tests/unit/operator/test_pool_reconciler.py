"""The loop around ``reconcile``, with our ports in memory: twice is once, and what fails is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from genpool_core.errors import BrokerError, ClusterError, GenPoolError
from genpool_core.names import FIELD_MANAGER_INITIAL, worker_user
from genpool_core.topology.plan import PutUser
from genpool_core.workflow.files import MissingFiles
from genpool_operator.ports import QueueAnswers
from unit.operator.pools import KEY, UID, good_health, worker
from unit.operator.world import World

SECRETS = [
    f"apply {name} by genpool-pool-pictures" for name in ("genpool-worker-logins", "genpool-callback-secrets")
]


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks(0)
    world.put()
    return world


def test_a_new_pool_is_made_in_one_call(world: World) -> None:
    world.look()
    assert world.condition("Ready").status == "True"
    assert world.replicas == 0
    assert world.cluster.calls == [
        "apply genpool-callback-secrets by genpool-pool-pictures",
        "apply ConfigMap",
        f"apply Deployment by {FIELD_MANAGER_INITIAL}",
        "apply Deployment",
        "apply genpool-worker-logins by genpool-pool-pictures",
    ]
    assert world.brokers.passwords == {worker_user(UID, KEY.id): KEY.worker_password(UID)}
    assert [event.reason for event in world.cluster.events] == ["Accepted", "TopologyReady"]


def test_twice_is_once(world: World) -> None:
    world.look()
    calls, steps, statuses = (
        list(world.cluster.calls),
        list(world.brokers.steps),
        list(world.cluster.statuses),
    )
    for _ in range(3):
        assert not world.look().acts
    assert (world.cluster.calls, world.brokers.steps, world.cluster.statuses) == (calls, steps, statuses)


def test_after_a_restart_the_deployment_is_applied_once_more_and_nothing_else(world: World) -> None:
    world.look()
    world.cluster.calls.clear()
    world.restart()
    world.look()
    world.look()
    assert world.cluster.calls == [*SECRETS, "apply Deployment"]
    assert [event.reason for event in world.cluster.events] == ["Accepted", "TopologyReady"]


def test_ten_changed_templates_keep_the_replicas(world: World) -> None:
    world.look()
    world.tasks(1)
    world.look(full=False)
    for number in range(10):
        world.put(generation=2 + number, comfyui={"image": f"example/comfyui:{number}"})
        world.look()
        assert world.replicas == 1
    assert world.cluster.calls.count("scale 1") == 1


def test_a_burst_and_its_end(world: World) -> None:
    world.put(scaling={"maxReplicas": 4})
    world.look()
    world.tasks(9)
    world.look(full=False)
    assert world.replicas == 4
    assert world.status.scaling.desired == 4
    for name in "abcd":
        world.pod(name)
    world.brokers.given = replace(
        world.brokers.given,
        workers={
            "a": worker("busy", heard=999),
            "b": worker("idle", heard=999),
            "c": worker("idle", heard=999),
            "d": worker("idle", heard=999),
        },
    )
    for _ in range(8):
        world.now += timedelta(seconds=2)
        world.tasks(0, 1)
        world.look(full=False)
    assert world.replicas == 1
    assert world.cluster.costs["b"] == 0
    assert world.cluster.costs["a"] >= 10
    assert [event.reason for event in world.cluster.events][-2:] == ["ScaledOut", "ScaledIn"]


def test_costs_that_cannot_be_written_do_not_stop_the_scaling(world: World) -> None:
    world.put(scaling={"mode": "Pinned", "replicas": 2, "maxReplicas": 4})
    world.look()
    world.pod("a")
    world.put(generation=2, scaling={"mode": "Pinned", "replicas": 1, "maxReplicas": 4})
    world.cluster.fail["cost"] = [ClusterError("no", status=403)]
    world.look()
    assert world.replicas == 1


def test_a_broker_that_is_down_holds_the_pods_and_the_rest_goes_on(world: World) -> None:
    world.look()
    world.tasks(2)
    world.put(generation=2, scaling={"maxReplicas": 4})
    world.look()
    world.brokers.down = BrokerError("The management API does not answer.")
    health = good_health()
    lost = replace(health.management, reason="BrokerUnreachable", message="does not answer.")
    world.brokers.given = QueueAnswers(replace(health, management=lost))
    world.put(generation=3, scaling={"maxReplicas": 4}, comfyui={"image": "example/comfyui:new"})
    world.look(later=20)
    assert world.replicas == 2
    image = world.cluster.objects["Deployment", "pictures-worker"]["spec"]["template"]["spec"][
        "initContainers"
    ][-1]
    assert image["image"] == "example/comfyui:new"
    assert world.condition("BrokerReachable").status == "False"
    assert world.condition("TopologyReady").status == "Unknown"
    assert world.condition("ScalingActive").reason == "DepthUnknown"
    assert world.condition("Ready").status == "False"
    assert world.cluster.events[-1].reason == "BrokerLost"


def test_what_is_not_settled_is_reconciled_again_soon_from_fresh_facts(world: World) -> None:
    assert world.look().requeue_after is None
    world.brokers.seen = replace(world.brokers.seen, exchanges={"genpool.events": "fanout"})
    world.look()
    assert world.look(later=5).requeue_after == 5
    assert world.brokers.asked_settled[-1] is False
    assert world.condition("TopologyReady").reason == "TopologyConflict"


def test_what_the_broker_refuses_is_told(world: World) -> None:
    world.brokers.refuse = BrokerError("inequivalent arg", reason="TopologyConflict")
    with pytest.raises(BrokerError):
        world.look()
    assert world.condition("TopologyReady").reason == "TopologyConflict"
    assert world.condition("Ready").status == "False"
    assert "apply Deployment" in world.cluster.calls
    world.brokers.refuse = None
    world.look()
    assert world.condition("Ready").status == "True"


def test_what_kubernetes_refuses_is_told_once_and_kept(world: World) -> None:
    for attempt in range(3):
        world.cluster.fail["apply"] = [ClusterError("quota exceeded", status=403, refusal=True)]
        with pytest.raises(GenPoolError):
            world.look(later=attempt)
        world.look(full=False, later=1)
        assert world.condition("Accepted").reason == "KubernetesRefused"
    assert [event.reason for event in world.cluster.events].count("KubernetesRefused") == 1
    world.cluster.fail.clear()
    world.look()
    assert world.condition("Accepted").status == "True"


def test_kubernetes_that_does_not_answer_is_nobodys_fault(world: World) -> None:
    world.look()
    world.cluster.fail["get"] = [ClusterError("no answer", status=0)]
    with pytest.raises(ClusterError):
        world.look()
    assert world.condition("Accepted").status == "True"


def test_a_faulty_workflow_leaves_what_runs_alone(world: World) -> None:
    world.look()
    before = dict(world.cluster.objects)
    world.workflows.found = {"text-to-image": MissingFiles("there is no ConfigMap mine.")}
    world.put(generation=2, comfyui={"image": "example/other"})
    world.look()
    assert world.cluster.objects == before
    assert world.condition("Accepted").message == "workflow text-to-image: there is no ConfigMap mine."
    assert world.condition("Ready").reason == "InvalidWorkflow"
    world.tasks(1)
    world.look(full=False, later=1)
    assert world.replicas == 1


def test_a_deployment_that_somebody_changed_is_applied_again(world: World) -> None:
    world.look()
    body = world.cluster.objects["Deployment", "pictures-worker"]
    changed = {**body, "spec": {**body["spec"], "paused": True}}
    changed["metadata"] = {**body["metadata"], "resourceVersion": world.cluster.next_version()}
    assert world.store.put_deployment(changed)
    world.cluster.calls.clear()
    world.look()
    assert world.cluster.calls == ["apply Deployment"]


@pytest.mark.parametrize("kind", ["Deployment", "ConfigMap"])
@pytest.mark.parametrize("taken", ["labels", "ownerReferences"])
def test_labels_and_owners_that_somebody_took_away_come_back(world: World, kind: str, taken: str) -> None:
    world.look()
    key = next(key for key in world.cluster.objects if key[0] == kind)
    body = world.cluster.objects[key]
    before = body["metadata"][taken]
    world.cluster.objects[key] = {
        **body,
        "metadata": {**body["metadata"], taken: {"app": "x"} if taken == "labels" else []},
    }
    if kind == "Deployment" and taken == "labels":
        # A list and a watch by label do not show it any more.
        world.store.drop_deployment(body)
    elif kind == "Deployment":
        changed = world.cluster.objects[key]
        changed["metadata"]["resourceVersion"] = world.cluster.next_version()
        assert world.store.put_deployment(changed), "a full pass is asked for"
    world.cluster.calls.clear()
    world.look(later=1)
    assert world.cluster.calls == [f"apply {kind}"]
    assert world.cluster.objects[key]["metadata"][taken] == before
    assert world.status.scaling.reason != "NoDeployment"
    assert world.condition("Accepted").status == "True"
    world.cluster.calls.clear()
    world.look(later=1)
    assert not world.cluster.calls


def test_an_apply_names_the_object_that_it_means(world: World) -> None:
    """A Deployment that was deleted meanwhile must not come back by an apply that does not say replicas."""
    world.look()
    world.put(generation=2, comfyui={"image": "example/other"})
    world.look()
    assert (
        world.cluster.objects["Deployment", "pictures-worker"]["metadata"]["uid"] == "uid-of-pictures-worker"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"broker": {"name": "other"}}, "BrokerUnknown"), ({"broker": {"vhost": "other"}}, "VhostNotAllowed")],
)
def test_a_broker_that_the_pool_may_not_use(changes: dict[str, object], reason: str) -> None:
    world = World()
    world.put(**changes)
    world.look()
    assert world.condition("Accepted").reason == reason
    assert not world.cluster.objects
    assert not world.brokers.steps


def test_a_user_that_somebody_deleted_comes_back_with_its_password(world: World) -> None:
    world.look()
    user = next(step for step in world.brokers.steps if isinstance(step, PutUser))
    world.brokers.steps.clear()
    world.brokers.seen = replace(world.brokers.seen, users={})
    world.look()
    assert world.brokers.steps == [user]


def test_an_object_that_cannot_be_read_says_so_and_is_left_alone(world: World) -> None:
    world.look()
    before = dict(world.cluster.objects)
    world.put(generation=2, queue={"name": "q", "unheard": 1})
    record = world.store.record(("team", "pictures"))
    assert record is not None
    assert record.pool is None
    refused = world.controller.refuse(record)
    assert refused is not None
    assert [item.status for item in refused.conditions if item.type == "Ready"] == ["False"]
    assert "unheard" in world.condition("Accepted").message
    assert world.cluster.objects == before
    events = len(world.cluster.events)
    record = world.store.record(("team", "pictures"))
    assert record is not None
    world.controller.refuse(record)
    assert len(world.cluster.events) == events


def test_figures_are_written_no_more_often_than_each_15_seconds(world: World) -> None:
    world.put(scaling={"mode": "Hold"})
    world.look()
    world.tasks(1)
    world.look(full=False, later=3)
    assert world.status.queue.waiting == 1
    written = len(world.cluster.statuses)
    for second in range(1, 30):
        world.tasks(1 + second)
        world.look(full=False, later=1)
    assert len(world.cluster.statuses) == written + 1
    assert world.status.queue.waiting == 16


def test_events_that_cannot_be_posted_stop_nothing(world: World) -> None:
    world.cluster.fail["event"] = [ClusterError("terminating", status=403)] * 9
    world.look()
    assert world.condition("Ready").status == "True"


def test_a_pool_that_has_gone_meanwhile(world: World) -> None:
    world.cluster.fail["status"] = [ClusterError("not found", status=404)]
    world.look()
    assert not world.cluster.statuses
