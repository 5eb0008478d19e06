"""The condition WorkflowsReady: what pods say that their ComfyUI lacks, and for how long that holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_core.api.status import Condition
from genpool_core.conditions import WORKFLOWS_READY
from genpool_core.messages.events import UnavailableWorkflow
from genpool_operator.decide.workers import WorkerView
from genpool_operator.decide.workflow_health import (
    NO_POD_SAID,
    WorkflowProof,
    assess_workflows,
    recall_workflows,
)
from unit.operator.pools import NOW, at, pod, spec, waits, worker
from unit.operator.world import World

PHOTO = UnavailableWorkflow(
    workflow="photo",
    reason="NodeMissing",
    message="Workflow photo: ComfyUI lacks the node class DDColor of node 7.",
)
HOUSE = UnavailableWorkflow(
    workflow="house", reason="ModelMissing", message="Workflow house: ComfyUI lacks x.ckpt."
)


def says(*items: UnavailableWorkflow, base: WorkerView | None = None) -> WorkerView:
    return replace(base or worker("idle"), unavailable=items)


def look(
    workers: dict[str, WorkerView],
    before: WorkflowProof | None = None,
    fingerprint: str = "f",
    served: int = 2,
    **pods: object,
) -> tuple[str, str, str]:
    known = [pod(name, **(pods if name == "a" else {})) for name in workers]
    found, _ = assess_workflows(known, workers, NOW, before, fingerprint=fingerprint, served=served)
    assert found.type == WORKFLOWS_READY
    return found.status, found.reason, found.message


def test_all_is_there() -> None:
    assert look({"a": says()})[:2] == ("True", "AllAvailable")


def test_one_workflow_of_two() -> None:
    status, reason, message = look({"a": says(PHOTO)})
    assert (status, reason) == ("False", "NodeMissing")
    assert PHOTO.message in message
    assert message.endswith("wait, for at most a day; all others are done.")
    assert " on 1 pod" not in message, "there is only this one"


def test_no_workflow_at_all() -> None:
    _, reason, message = look({"a": says(HOUSE, PHOTO)})
    assert reason == "ModelMissing"
    assert PHOTO.message in message
    assert message.endswith("The pool has no other workflow; no task is lost within a day.")


def test_pods_that_differ() -> None:
    _, _, message = look({"a": says(PHOTO, HOUSE), "b": says()})
    assert "So on 1 pod of 2: a." in message
    assert "all others are done" in message, "pod b does them"


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(worker("starting"), id="not asked yet"),
        pytest.param(replace(says(PHOTO), heard_at=at(-31)), id="silent"),
        pytest.param(waits("StorageUnavailable"), id="waits for its store"),
    ],
)
def test_nobody_says_anything(state: WorkerView) -> None:
    assert look({"a": state})[:2] == ("Unknown", "NotAsked")


@pytest.mark.parametrize("gone", [{"terminating": True}, {"finished": True}])
def test_a_pod_that_goes_says_nothing(gone: dict[str, object]) -> None:
    assert look({"a": says(PHOTO)}, **gone)[:2] == ("Unknown", "NotAsked")


def test_what_was_said_holds_until_it_is_disproved_or_the_deployment_is_another_one() -> None:
    _, proof = assess_workflows([pod("a")], {"a": says(PHOTO)}, NOW, None, fingerprint="f", served=2)
    status, reason, message = look({}, proof)
    assert (status, reason) == ("False", "NodeMissing")
    assert message.endswith("No pod has shown since that this is mended.")
    assert look({"a": says()}, proof)[0] == "True"
    assert look({}, proof, fingerprint="other")[:2] == ("Unknown", "NotAsked")


def test_the_next_operator_recalls_it_word_by_word() -> None:
    _, proof = assess_workflows([pod("a")], {"a": says(PHOTO)}, NOW, None, fingerprint="f", served=2)
    told, _ = assess_workflows([], {}, NOW, proof, fingerprint="f", served=2)
    condition = Condition(
        type=told.type,
        status=told.status,
        reason=told.reason,
        message=told.message,
        last_transition_time=NOW,
    )
    recalled = recall_workflows(condition, "f")
    assert assess_workflows([], {}, NOW, recalled, fingerprint="f", served=2)[0] == told
    assert recall_workflows(condition.model_copy(update={"status": "Unknown"}), "f") is None
    assert recall_workflows(None, "f") is None


def test_a_long_list_is_cut() -> None:
    many = tuple(UnavailableWorkflow(workflow=f"w{n}", reason="R", message=f"m{n}.") for n in range(9))
    message = look({f"pod-{n}": says(*many) for n in range(9)} | {"well": says()})[2]
    assert "And 4 workflows more." in message
    assert "So on 9 pods of 10: pod-0, pod-1, pod-2, pod-3, pod-4 …." in message


def test_the_pool_stays_ready_and_says_which_tasks_wait() -> None:
    world = World()
    photo = {"name": "photo", "source": {"builtin": "DDColor人物黑白修复.json"}}
    world.workflows.found = {**world.workflows.found, "photo": world.workflows.found["text-to-image"]}
    world.put(workflows=[*spec()["workflows"], photo])
    world.tasks(1)
    world.look()
    assert world.condition(WORKFLOWS_READY).reason == NO_POD_SAID.reason
    world.pod("a")
    world.brokers.given = replace(world.brokers.given, workers={"a": says(PHOTO)})
    world.look(full=False, later=1)
    assert world.condition(WORKFLOWS_READY).reason == "NodeMissing"
    ready = world.condition("Ready")
    assert ready.status == "True"
    assert ready.message.endswith("the condition WorkflowsReady says which and why.")
    assert ("Warning", "WorkflowsUnavailable") in [(item.type, item.reason) for item in world.cluster.events]
    world.restart()
    world.brokers.given = replace(world.brokers.given, workers={})
    world.look(later=1)
    assert world.condition(WORKFLOWS_READY).reason == "NodeMissing"
    world.brokers.given = replace(world.brokers.given, workers={"a": replace(says(), heard_at=world.now)})
    world.look(full=False, later=1)
    assert world.condition(WORKFLOWS_READY).status == "True"
    assert "WorkflowsReady" not in world.condition("Ready").message


def test_a_pool_that_can_run_none_of_its_workflows_is_not_ready() -> None:
    world = World()
    world.put()
    world.tasks(1)
    world.look()
    world.pod("a")
    world.brokers.given = replace(world.brokers.given, workers={"a": says(HOUSE)})
    world.look(full=False, later=1)
    for _ in range(2):
        ready = world.condition("Ready")
        assert (ready.status, ready.reason) == ("False", "ModelMissing")
        assert HOUSE.message in ready.message
        world.restart()
        world.brokers.given = replace(world.brokers.given, workers={})
        world.look(later=1)
    world.brokers.given = replace(world.brokers.given, workers={"a": replace(says(), heard_at=world.now)})
    world.look(full=False, later=1)
    assert world.condition("Ready").status == "True"
