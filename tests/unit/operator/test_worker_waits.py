"""What workers and pods show: it makes a pool Ready or not, and stays until it is disproved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genpool_operator.decide.pod_health import assess_pods, shows_health
from genpool_operator.decide.pods import ContainerView, PodView
from genpool_operator.decide.workers import WorkerView, heard
from unit.operator.pools import NOW, at, pod, waits, worker
from unit.operator.world import World

S3 = "the bucket results at http://s3 refused (InvalidAccessKeyId): the access key is unknown."
STORE = "StorageUnavailable"
COMFYUI = "ComfyUIUnavailable"


def crashing(**changes: object) -> PodView:
    container = ContainerView("worker", restarts=3, waiting="CrashLoopBackOff", ended="Error", exit_code=1)
    return pod("a", ready=False, containers=(container,), **changes)


@pytest.mark.parametrize(
    ("pods", "workers", "reason", "blocking", "says"),
    [
        pytest.param(
            [pod("a", ready=False)],
            {"a": waits(STORE, S3)},
            STORE,
            True,
            f"pod a takes no task: {S3}",
            id="keys",
        ),
        pytest.param(
            [pod("a", ready=False)], {"a": waits(STORE, since=-4)}, "Starting", False, "0 of 1", id="a moment"
        ),
        pytest.param(
            [pod("a")], {"a": waits(STORE, S3, state="unready")}, STORE, True, S3, id="after it was ready"
        ),
        pytest.param(
            [pod("a"), pod("b")],
            {"a": waits(STORE, S3, state="unready"), "b": worker("idle")},
            STORE,
            False,
            "(2 of 1 pods are ready.)",
            id="another pod takes tasks",
        ),
        pytest.param(
            [pod("a", ready=False)],
            {"a": waits(COMFYUI, since=-99)},
            "Starting",
            False,
            "0 of 1",
            id="ComfyUI",
        ),
        pytest.param(
            [pod("a", ready=False)],
            {"a": waits(COMFYUI, since=-101)},
            COMFYUI,
            True,
            "why",
            id="ComfyUI, long",
        ),
        pytest.param(
            [pod("a", ready=False)],
            {"a": waits("Unheard", since=-9)},
            "Unheard",
            True,
            "why",
            id="a newer worker's",
        ),
        pytest.param(
            [pod("a", ready=False)],
            {"a": replace(waits(STORE), heard_at=at(-31))},
            "Starting",
            False,
            "0 of 1",
            id="silent since",
        ),
        pytest.param(
            [pod("a", ready=False)],
            {"a": worker("starting")},
            "Starting",
            False,
            "0 of 1",
            id="an older worker's",
        ),
        pytest.param(
            [pod("a", ready=False, unready_since=at(-100))],
            {},
            "Starting",
            False,
            "0 of 1",
            id="within the budget",
        ),
        pytest.param(
            [pod("a", ready=False, unready_since=at(-101))],
            {},
            "StartOverdue",
            True,
            "for longer than 100 s: its worker was not heard of; kubectl -n team logs a -c worker says",
            id="the budget is over",
        ),
        pytest.param(
            [
                pod(
                    "a",
                    ready=False,
                    unready_since=at(-101),
                    containers=(ContainerView("x", waiting="PodInitializing"),),
                )
            ],
            {},
            "StartOverdue",
            True,
            "container x is in PodInitializing; kubectl -n team describe pod a says why.",
            id="a volume that is not there",
        ),
        pytest.param(
            [pod("a", ready=False, unready_since=at(-101))],
            {"a": waits(COMFYUI, "RabbitMQ is away.", since=-50)},
            "StartOverdue",
            True,
            "its worker waits: RabbitMQ is away.",
            id="the budget is over and the worker says why",
        ),
        pytest.param(
            [crashing()],
            {"a": replace(waits("StoreNotAtomic", "the store is not safe."), heard_at=at(-200))},
            "CrashLoopBackOff",
            True,
            "--previous It said: the store is not safe.",
            id="a worker that ended",
        ),
        pytest.param(
            [pod("a", ready=False, containers=(ContainerView("init", waiting="ImageInspectError"),))],
            {},
            "ImageInspectError",
            True,
            "Container init of pod a cannot start (ImageInspectError)",
            id="any reason but the usual",
        ),
    ],
)
def test_assess(
    pods: list[PodView], workers: dict[str, WorkerView], reason: str, says: str, *, blocking: bool
) -> None:
    found = assess_pods(pods, 1, None, NOW, workers, 100)
    assert (found.reason, found.blocking) == (reason, blocking)
    assert says in found.message


def test_since_when_a_worker_waits_is_by_our_clock() -> None:
    first = heard(None, replace(waits(STORE), since=at(-900), heard_at=at(0), waits_since=None))
    assert first.waits_since == at(0)
    again = heard(first, replace(waits(STORE, "other words"), heard_at=at(5), waits_since=None))
    assert again.waits_since == at(0)
    other = heard(again, replace(waits(COMFYUI), heard_at=at(10), waits_since=None))
    assert other.waits_since == at(10)


@pytest.mark.parametrize(
    ("pods", "workers", "shows"),
    [
        ([pod("a")], {"a": worker("idle")}, True),
        ([pod("a", ready=False)], {"a": worker("busy", task="t")}, True),
        ([pod("a")], {}, True),
        ([pod("a")], {"a": waits(STORE, state="unready")}, False),
        ([pod("a", ready=False)], {}, False),
        ([pod("a", terminating=True)], {"a": worker("idle")}, False),
        ([], {"a": worker("idle")}, False),
    ],
)
def test_a_pod_that_takes_tasks_shows_that_pods_work(
    pods: list[PodView], workers: dict[str, WorkerView], *, shows: bool
) -> None:
    assert shows_health(pods, workers, NOW) is shows


@pytest.fixture
def world() -> World:
    """A pool with a task in its queue and a pod that is wanted."""
    world = World()
    world.put()
    world.tasks(1)
    world.look()
    world.look(full=False, later=1)
    assert world.replicas == 1
    return world


def say(world: World, **workers: WorkerView) -> None:
    """The workers say so now."""
    world.brokers.given = replace(
        world.brokers.given,
        workers={name: replace(view, heard_at=world.now) for name, view in workers.items()},
    )


def ready_pods(world: World, ready: int) -> None:
    """The Deployment's controller counts so many pods as ready, all of the newest template."""
    body: dict[str, Any] = dict(world.cluster.objects["Deployment", "pictures-worker"])
    body["metadata"] = {**body["metadata"], "resourceVersion": world.cluster.next_version(), "generation": 4}
    counts = {"replicas": ready, "readyReplicas": ready, "updatedReplicas": ready, "observedGeneration": 4}
    world.store.put_deployment({**body, "status": counts})


def told(world: World) -> tuple[str, str]:
    found = world.condition("Ready")
    return found.status, found.reason


def to_zero(world: World) -> None:
    """The tasks and the pods are gone."""
    world.store.drop_pod({"metadata": {"name": "a", "namespace": "team"}})
    world.brokers.given = replace(world.brokers.given, workers={})
    for _ in range(12):
        world.now = at((world.now - NOW).total_seconds() + 2)
        world.tasks(0)
        world.look(full=False)
    assert world.replicas == 0


def test_what_a_worker_waits_for_makes_the_pool_not_ready_until_one_works(world: World) -> None:
    assert told(world) == ("True", "NotProven")
    world.pod("a", ready=False)
    say(world, a=waits(STORE, S3, since=1))
    world.look(full=False, later=10)
    assert told(world) == ("False", STORE)
    assert S3 in world.condition("Ready").message
    to_zero(world)
    assert told(world) == ("False", STORE), "it stays when the pod is gone"
    message = world.condition("Ready").message
    assert message.endswith("No pod has shown since that this is mended.")
    world.restart()
    world.look(later=1)
    assert told(world) == ("False", STORE), "and for the next operator"
    assert world.condition("Ready").message == message
    world.tasks(1)
    world.look(full=False, later=1)
    world.pod("a")
    ready_pods(world, 1)
    say(world, a=worker("idle"))
    world.look(full=False, later=1)
    assert told(world) == ("True", "Ready")
    to_zero(world)
    assert told(world) == ("True", "Ready"), "proven"
    world.restart()
    world.look(later=1)
    assert told(world) == ("True", "Ready")


def test_another_spec_is_not_proven_and_not_to_blame(world: World) -> None:
    world.pod("a", ready=False)
    say(world, a=waits(STORE, S3, since=1))
    world.look(full=False, later=10)
    to_zero(world)
    world.put(generation=2, comfyui={"image": "example/comfyui:other"})
    world.look(later=1)
    assert told(world) == ("True", "NotProven")
    assert "no pod of the current spec was ever ready" in world.condition("Ready").message
    assert world.condition("WorkersReady").reason == "NotProven"


def test_ready_pods_whose_workers_are_not_heard_of(world: World) -> None:
    """They connect again and again: nobody can say so, and nobody knows that tasks will be done."""
    world.pod("a")
    ready_pods(world, 1)
    say(world, a=worker("idle"))
    world.look(full=False, later=1)
    assert told(world) == ("True", "Ready")
    for later, expected in ((31, ("True", "Ready")), (31, ("Unknown", "WorkersSilent"))):
        world.now = at((world.now - NOW).total_seconds() + later)
        silent = world.brokers.given.workers
        world.tasks(1)
        world.brokers.given = replace(world.brokers.given, workers=silent)
        world.look(full=False)
        assert told(world) == expected
    assert world.condition("WorkersReady").status == "Unknown"
    say(world, a=worker("idle"))
    world.look(full=False, later=1)
    assert told(world) == ("True", "Ready")


def test_silence_says_nothing_while_the_operator_hears_nothing_itself(world: World) -> None:
    world.pod("a")
    for _ in range(3):
        world.look(full=False, later=25)
        health = world.brokers.given.health
        world.brokers.given = replace(
            world.brokers.given, health=replace(health, amqp=replace(health.amqp, reason="BrokerUnreachable"))
        )
    assert world.condition("Ready").reason != "WorkersSilent"
