"""A ComfyUI that does not behave: it stops answering or getting on, or it ignores the signal to end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from e2e.lab import Lab
from e2e.manifests import GRACE_SECONDS, task
from e2e.results import dead, succeeded
from e2e.scenes import Manifest, Scene, pod_name
from genpool_core import timing
from genpool_core.messages.events import TaskClaimed
from support.observing import Change
from support.waiting import wait_until

#: Faster than the usual one; many of these at a time would keep a small machine busy.
PROBE = {"periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 2}
#: From the last good probe to the verdict, when each question of the failing one waits for its whole time-out.
_PROBE_SECONDS = timing.LIVENESS_PERIOD_SECONDS + PROBE["failureThreshold"] * max(
    PROBE["periodSeconds"], PROBE["timeoutSeconds"]
)
#: ``timeoutSeconds`` of the workflow that wedges.
_RUN_SECONDS = 12
_GOOD_TASKS = 20
#: From the end of the time of a run that wedged ComfyUI until that runs again.
_BACK_SECONDS = 30


@pytest.mark.together(seconds=60)
def test_a_comfyui_that_stops_answering_is_restarted_in_time(lab: Lab) -> None:
    with lab.scene("hang", comfyui={"probe": PROBE}, scaling={"minReplicas": 1}) as scene:
        scene.apply()
        (pod,) = scene.wait_ready_pods(1)
        assert pod["spec"]["terminationGracePeriodSeconds"] >= GRACE_SECONDS
        scene.send(task("hanging", "hang:once"))
        claimed = scene.wait_claimed("hanging")
        restarted = wait_until(
            lambda: _first_restart(scene, pod_name(pod)), bool, "hang: ComfyUI to be restarted", seconds=60
        )
        assert restarted is not None
        assert restarted.at - claimed.time <= timedelta(seconds=_PROBE_SECONDS + 15)
        run = scene.wait_ends("hanging")["hanging"]
        assert succeeded(scene, run).attempt == len(run.claims)
        (after,) = scene.pods()
        assert after["metadata"]["uid"] == pod["metadata"]["uid"], (
            "the pod was replaced, not its ComfyUI restarted"
        )
        again = lab.events.of(TaskClaimed, lambda event: event.task_key == run.task_key)
        assert [event.attempt for event in again] == [claim.attempt for claim in run.claims]


@pytest.mark.together(seconds=120)
@pytest.mark.parametrize("fault", ["block=3600", "exit"])
def test_a_task_that_never_returns_takes_no_pod_out_of_service(lab: Lab, fault: str) -> None:
    workflow = {"name": "text-to-image", "source": {"builtin": "text-to-image"}}
    name = fault.partition("=")[0]
    with lab.scene(
        f"wedge-{name}",
        workflows=[{**workflow, "timeoutSeconds": _RUN_SECONDS}],
        scaling={"mode": "Pinned", "replicas": 2},
    ) as scene:
        scene.apply()
        before = scene.wait_ready_pods(2)
        bad = f"{name}-bad"
        good = [f"{name}-{number}" for number in range(_GOOD_TASKS)]
        scene.send(task(bad, fault), *(task(task_id) for task_id in good))
        runs = scene.wait_ends(bad, *good)
        dead(runs[bad], "Wedged", claims=2)
        for task_id in good:
            succeeded(scene, runs[task_id])
        after = wait_until(
            scene.pods,
            lambda pods: (
                sum(_comfyui(pod).get("restartCount", 0) for pod in pods) == len(runs[bad].claims)
                and all("running" in _comfyui(pod).get("state", {}) for pod in pods)
            ),
            f"{name}: every wedged ComfyUI to be restarted, once for each attempt",
            seconds=60,
        )
        assert {pod["metadata"]["uid"] for pod in after} == {pod["metadata"]["uid"] for pod in before}
        first = scene.wait_claimed(bad)
        restarted = _first_restart(scene, first.worker)
        assert restarted is not None
        assert restarted.at - first.time <= timedelta(seconds=_RUN_SECONDS + _BACK_SECONDS)


@pytest.mark.together
def test_an_idle_pod_whose_comfyui_ignores_sigterm_goes_at_once(lab: Lab) -> None:
    changes = {"env": [{"name": "COMFYUI_STANDIN_IGNORE_SIGTERM", "value": "1"}]}
    with lab.scene("stubborn", comfyui=changes, scaling={"mode": "Pinned", "replicas": 1}) as scene:
        scene.apply()
        (pod,) = scene.wait_ready_pods(1)
        assert pod["spec"]["terminationGracePeriodSeconds"] >= GRACE_SECONDS
        scene.kubectl("scale", "generationpool/pool", "--replicas=0")
        wait_until(scene.pods, lambda pods: not pods, "stubborn: no pod to be left", seconds=60, pause=0.1)
        scaled_in = scene.replica_changes()[-1]
        gone = lab.observer.pods.history(scene.place)[-1]
        assert (scaled_in.body["spec"]["replicas"], gone.kind) == (0, "DELETED")
        assert gone.at - scaled_in.at <= timedelta(seconds=10)


def _first_restart(scene: Scene, pod: str) -> Change | None:
    """The first change in which ComfyUI runs again after its end."""
    for change in scene.lab.observer.pods.history(scene.place, pod):
        status = _comfyui(change.body)
        if status.get("restartCount", 0) > 0 and "running" in status.get("state", {}):
            return change
    return None


def _comfyui(pod: Manifest) -> Manifest:
    statuses = pod.get("status", {}).get("initContainerStatuses", [])
    return next((status for status in statuses if status["name"] == "comfyui"), {})
