"""Pods that go in the middle of a task: nothing is lost, and nothing is twice in the bucket."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.lab import Lab
from e2e.manifests import GRACE_SECONDS, task
from e2e.results import dead, succeeded
from e2e.scenes import Manifest, Scene, letter_of, pod_name
from genpool_core.ledger.records import EndRecord
from genpool_core.messages import headers
from genpool_dev.stack.bucket import RunRecord
from support.waiting import wait_until


def _delete(scene: Scene, pod: str) -> None:
    scene.kubectl("delete", "pod", pod, "--wait=false")


def _delete_at_once(scene: Scene, pod: str) -> None:
    scene.kubectl("delete", "pod", pod, "--grace-period=0", "--force")


def _kill_worker(scene: Scene, pod: str) -> None:
    # A worker may have begun before the kubelet tells of it.
    statuses = wait_until(
        lambda: _pod(scene, pod)["status"].get("containerStatuses", []),
        lambda found: any(item["name"] == "worker" and "containerID" in item for item in found),
        f"{scene.place}: the kubelet to tell of the worker",
        seconds=30,
        pause=0.1,
    )
    (worker,) = [item for item in statuses if item["name"] == "worker"]
    _kill(worker["containerID"].rpartition("/")[2])


def _kill_pod(scene: Scene, pod: str) -> None:
    """All of its containers, and what holds their network."""
    uid = _pod(scene, pod)["metadata"]["uid"]
    # systemd, which has the groups on a node of kind, takes a hyphen for a level of its own.
    _kill(f"pod{uid}", f"pod{uid.replace('-', '_')}")


def _kill(*groups: str) -> None:
    """End what is in a control group, which has one of these names, as the kernel does when memory is out.

    From the node, which is this machine: within a container nobody can end its first process so.
    """
    killed = 0
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        with suppress(FileNotFoundError, ProcessLookupError):
            text = path.read_text()
            if any(group in text for group in groups):
                os.kill(int(path.parent.name), signal.SIGKILL)
                killed += 1
    assert killed, f"no process of {groups[0]} was found"


def _pod(scene: Scene, name: str) -> Manifest:
    return next(pod for pod in scene.pods() if pod_name(pod) == name)


WAYS: dict[str, Callable[[Scene, str], None]] = {
    "deleted": _delete,
    "deleted-at-once": _delete_at_once,
    "worker-killed": _kill_worker,
    "pod-killed": _kill_pod,
}


@pytest.mark.together(seconds=60)
@pytest.mark.parametrize("way", WAYS)
def test_a_pod_that_goes_in_the_middle_of_a_task(lab: Lab, way: str) -> None:
    with lab.scene(way) as scene:
        scene.apply()
        scene.send(task("in-the-middle", "slow=8"), task("waiting"))
        at_work = scene.wait_progress("in-the-middle")
        pod = _pod(scene, at_work.worker)
        assert pod["spec"]["terminationGracePeriodSeconds"] >= GRACE_SECONDS
        WAYS[way](scene, at_work.worker)
        runs = scene.wait_ends("in-the-middle", "waiting")
        ends = {task_id: succeeded(scene, run) for task_id, run in runs.items()}
        _check_the_way(scene, way, at_work.worker, runs["in-the-middle"], ends["in-the-middle"])
        scene.wait_queue_empty()
        assert len(scene.runs()) == 2
        assert lab.producer.take_all(f"{scene.queue}.dead") == []


def _check_the_way(scene: Scene, way: str, pod: str, run: RunRecord, end: EndRecord) -> None:
    """Check that the pod went while the task ran, and what that cost."""
    lost = [
        claim.attempt for claim in run.claims if claim.attempt != end.attempt and claim.released_at is None
    ]
    if way == "deleted":
        assert scene.told_to_end(pod) < end.ended_at
        assert (end.worker, end.attempt) == (pod, 1), "the grace is long enough to finish"
    elif way == "deleted-at-once":
        assert scene.told_to_end(pod) < end.ended_at
        assert (end.worker != pod, end.attempt) == (True, 2)
    else:
        assert (end.worker, end.attempt, lost) == (pod, 2, [1])


@pytest.mark.together(seconds=90)
def test_a_task_that_kills_its_pod_each_time_is_dead_after_max_attempts(lab: Lab) -> None:
    with lab.scene("deadly") as scene:
        scene.apply()
        scene.send(task("deadly", "slow=60"))
        for attempt in (1, 2):
            at_work = scene.wait_progress("deadly", attempt=attempt)
            _kill_pod(scene, at_work.worker)
        run = scene.wait_ends("deadly")["deadly"]
        end = dead(run, "WorkerLost", claims=2)
        assert "the pod was killed" in end.message
        letter = scene.wait_dead_letter(letter_of(run.task_key), "deadly")
        assert letter.headers[headers.REASON] == "WorkerLost"
        assert letter.headers[headers.ATTEMPTS] == 2
        scene.wait_queue_empty()
