"""Replicas: none without need, kept through changes of the template, taken away only from pods that are idle."""

from __future__ import annotations

from functools import partial

import pytest

from e2e.lab import Lab
from e2e.manifests import POOL, task
from e2e.results import succeeded
from e2e.scenes import Scene, is_reconciled
from support.waiting import wait_until

#: No node has this label: pods of such a pool stay Pending, as where all GPUs are taken, and cost nothing.
NOWHERE = {"nodeSelector": {"genpool.dev/no-such-node": "true"}}


@pytest.mark.together
def test_a_new_pool_at_zero_starts_no_pod_and_ten_changes_of_its_template_start_none(lab: Lab) -> None:
    with lab.scene("zero", scaling={"minReplicas": 0, "maxReplicas": 3}) as scene:
        scene.apply()
        _wait_settled(scene, 0)
        _change_template_ten_times(scene)
        _wait_settled(scene, 0)
        assert scene.replicas_seen() == [0]
        assert lab.observer.pods.history(scene.place) == []


@pytest.mark.together(seconds=40)
def test_ten_changes_of_the_template_keep_the_replicas(lab: Lab) -> None:
    with lab.scene("kept", scaling={"minReplicas": 2, "maxReplicas": 3}, template=NOWHERE) as scene:
        lab.kubectl.apply_plain(scene.manifest())
        _wait_settled(scene, 2)
        _change_template_ten_times(scene)
        _wait_settled(scene, 2)
        assert scene.replicas_seen() == [0, 2]


@pytest.mark.together(seconds=90)
def test_busy_pods_are_not_killed_by_scale_in(lab: Lab) -> None:
    with lab.scene("busy", scaling={"minReplicas": 2, "maxReplicas": 2, "idleSeconds": 1}) as scene:
        scene.apply()
        scene.wait_ready_pods(2)
        scene.send(task("short", "slow=5"), task("long", "slow=40"))
        workers = {task_id: scene.wait_progress(task_id).worker for task_id in ("short", "long")}
        assert len(set(workers.values())) == 2
        scene.apply(scaling={"minReplicas": 0})
        runs = scene.wait_ends("short", "long")
        wait_until(scene.pods, lambda pods: not pods, "busy: no pod to be left", seconds=60)

        ends = {task_id: succeeded(scene, run) for task_id, run in runs.items()}
        assert {task_id: (end.attempt, end.worker) for task_id, end in ends.items()} == {
            task_id: (1, worker) for task_id, worker in workers.items()
        }
        assert all(claim.released_at is None for run in runs.values() for claim in run.claims)
        assert scene.replicas_seen() == [0, 2, 1, 0]
        to_one, to_zero = scene.replica_changes()[-2:]
        assert ends["short"].ended_at < to_one.at < ends["long"].ended_at < to_zero.at
        for task_id, worker in workers.items():
            assert scene.told_to_end(worker) > ends[task_id].ended_at


@pytest.mark.together
def test_a_task_wakes_a_pool_and_it_goes_back_to_zero(lab: Lab) -> None:
    with lab.scene("wake") as scene:
        scene.apply()
        scene.send(task("first"))
        succeeded(scene, scene.wait_ends("first")["first"])
        wait_until(scene.pods, lambda pods: not pods, "wake: no pod to be left", seconds=60)
        assert scene.replicas_seen() == [0, 1, 0]
        columns = scene.kubectl("get", "gp", POOL).splitlines()
        assert columns[0].split()[:3] == ["NAME", "READY", "REASON"]
        assert columns[1].split()[:3] == [POOL, "True", "Ready"]


def _change_template_ten_times(scene: Scene) -> None:
    for number in range(10):
        revision = {"example.com/revision": str(number)}
        scene.lab.kubectl.apply_plain(scene.manifest(template={"metadata": {"annotations": revision}}))
        what = f"{scene.place}: revision {number} of the template on the Deployment"
        wait_until(partial(_carries, scene, revision), bool, what, seconds=60, pause=0.1)


def _carries(scene: Scene, annotations: dict[str, str]) -> bool:
    return annotations.items() <= _annotations(scene.deployment()).items()


def _wait_settled(scene: Scene, replicas: int) -> None:
    """Wait until operator and Deployment controller have acted on the newest specs: no pod is still to come."""

    def settled(seen: tuple[dict[str, object], dict[str, object]]) -> bool:
        pool, deployment = seen
        return is_reconciled(pool) and is_reconciled(deployment) and _wanted(deployment) == replicas

    what = f"{scene.place}: a settled Deployment of {replicas} replicas"
    wait_until(lambda: (scene.pool(), scene.deployment()), settled, what, seconds=90)


def _annotations(deployment: dict[str, object]) -> dict[str, str]:
    match deployment:
        case {"spec": {"template": {"metadata": {"annotations": dict(annotations)}}}}:
            return annotations
    return {}


def _wanted(deployment: dict[str, object]) -> int | None:
    match deployment:
        case {"spec": {"replicas": int(replicas)}}:
            return replicas
    return None
