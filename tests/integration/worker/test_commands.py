"""Commands on real parts: a running task is cancelled, and only the gateway commands."""

from __future__ import annotations

import time
import uuid

import pytest

from genpool_core import identity, names
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.commands import CancelTask, Who
from genpool_core.messages.events import TaskEnded, WorkerHeartbeat
from genpool_core.topology.rights import worker_permissions
from integration.broker import until
from integration.worker.kubelet import Kubelet
from integration.worker.rig import PASSWORD, QUEUE, Process, Rig

HOOK = "https://client.example/hook"
#: From the command to the end record.
CANCEL_SECONDS = 2


def task(prompt: str) -> dict[str, object]:
    return {
        "task_id": str(uuid.uuid4()),
        "prompt": prompt,
        "width": 64,
        "height": 64,
        "callback_url": HOOK,
    }


def cancel_of(rig: Rig, body: dict[str, object], run: int = 1) -> CancelTask:
    key = identity.task_key(rig.config.pool.uid, str(body["task_id"]), dict(body))  # type: ignore[arg-type]
    return CancelTask(task_key=key, run=run, message="A test asked for it.")


def runs(comfyui: Process) -> bool:
    return bool(comfyui.get("/queue").json()["queue_running"])


def end_of(rig: Rig, cancel: CancelTask) -> EndRecord | None:
    return next((end for end in rig.ends() if end.task_key == cancel.task_key), None)


def test_a_running_task_is_cancelled_and_the_next_one_runs(rig: Rig) -> None:
    comfyui = rig.comfyui()
    rig.worker()
    slow, following = task("[standin:slow=120]"), task("the next one")
    rig.send(slow)
    until(lambda: runs(comfyui), "the prompt runs")
    rig.send(following)
    cancel = cancel_of(rig, slow)
    asked = time.monotonic()
    rig.command(cancel, names.command_key(rig.config.pool.uid, "worker-0"))
    end = until(lambda: end_of(rig, cancel), "its end")
    assert time.monotonic() - asked < CANCEL_SECONDS
    assert (end.outcome, end.reason, end.message) == ("cancelled", "Cancelled", "A test asked for it.")
    assert (end.attempt, end.outputs) == (1, [])

    ends = rig.wait_ends(2)
    assert sorted(item.outcome for item in ends) == ["cancelled", "succeeded"]
    (told,) = [
        event for event in rig.events() if isinstance(event, TaskEnded) and event.outcome == "cancelled"
    ]
    assert told.id == identity.end_id(cancel.task_key, 1)
    assert {callback.id for callback in rig.callbacks()} == {
        identity.end_id(item.task_key, 1) for item in ends
    }
    assert not rig.dead_letters()
    assert len(rig.outputs()) == 1
    assert not runs(comfyui)
    assert not list((rig.folder / "scratch" / "output").rglob("*.png"))


def test_a_cancelled_task_that_heeds_no_interrupt_wedges_comfyui(rig: Rig) -> None:
    def restart() -> Process:
        return rig.comfyui()

    mark = rig.folder / "restart"
    comfyui = rig.comfyui()
    worker = rig.worker(GENPOOL_RESTART_FILE=str(mark))
    with Kubelet(comfyui, mark, restart) as kubelet:
        blocked = task("[standin:block=3600]")
        rig.send(blocked)
        until(lambda: runs(comfyui), "the prompt runs")
        cancel = cancel_of(rig, blocked)
        rig.command(cancel, names.command_key_of_all(rig.config.pool.uid))
        assert until(lambda: end_of(rig, cancel), "its end", 30).outcome == "cancelled"
        rig.send(task("after the restart"))
        ends = rig.wait_ends(2, 60)
    assert sorted(end.outcome for end in ends) == ["cancelled", "succeeded"]
    assert len(kubelet.said) == 1
    assert worker.events("comfyui_wedged")


def test_only_the_gateway_commands_and_only_the_task_in_hand(rig: Rig) -> None:
    """Nothing that others send, or that is about another task or run, ends a task; nor does a late cancel."""
    comfyui = rig.comfyui()
    worker = rig.worker()
    strangers = ["a-producer", names.worker_user(str(uuid.uuid4()), "0a1b2c3d")]
    for user in strangers:
        rig.vhost.add_user(user, PASSWORD)
    slow = task("[standin:slow=3]")
    rig.send(slow)
    until(lambda: runs(comfyui), "the prompt runs")
    key = names.command_key(rig.config.pool.uid, "worker-0")
    cancel = cancel_of(rig, slow)
    for user in strangers:
        rig.command(cancel, key, user)
    for other in (cancel_of(rig, slow, run=2), cancel_of(rig, task("another"))):
        rig.command(other, key)
    until(lambda: len(worker.events("command_not_believed")) == len(strangers), "both were heard")
    until(lambda: len(worker.events("cancel_received")) == 2, "both were heard")
    (end,) = rig.wait_ends(1)
    assert end.outcome == "succeeded"
    rig.command(cancel, key)
    until(lambda: len(worker.events("cancel_received")) == 3, "the late one was heard")
    assert {item["verdict"] for item in worker.events("cancel_received")} == {"not in hand"}
    assert [item.outcome for item in rig.ends()] == ["succeeded"]


def test_who_is_answered_with_a_heartbeat(rig: Rig) -> None:
    rig.comfyui()
    rig.worker()
    rig.vhost.queue("beats")
    rig.vhost.bind(names.EVENTS_EXCHANGE, "beats", f"{rig.config.pool.uid}.worker.heartbeat")
    until(lambda: rig.taken("beats"), "a beat of its own")
    rig.command(Who(), names.command_key_of_all(rig.config.pool.uid))
    # Its own next one comes 5 s after the last.
    ((_, body),) = until(lambda: rig.taken("beats"), "the answer", 2)
    assert WorkerHeartbeat.model_validate_json(body).state == "idle"


def test_the_queue_for_commands_is_the_workers_own(rig: Rig) -> None:
    """It comes back after a lost connection, goes with the worker, and another pool's worker may not have it."""
    rig.comfyui()
    worker = rig.worker()
    queue = names.command_queue(rig.config.pool.uid, "worker-0")
    path = f"queues/{rig.vhost.name}/{queue}"
    found = until(lambda: rig.vhost.api("GET", path, missing_ok=True), "the queue")
    assert found["exclusive"]
    rig.vhost.cut("worker-0 consume")
    key = names.command_key(rig.config.pool.uid, "worker-0")

    def heard() -> bool:
        rig.command(cancel_of(rig, task("another")), key)
        return bool(worker.events("cancel_received"))

    until(heard, "it hears commands again", 30)
    worker.end()
    until(lambda: rig.vhost.api("GET", path, missing_ok=True) is None, "it is gone")


def test_a_worker_that_may_have_no_queue_for_commands_does_its_tasks(rig: Rig) -> None:
    """The operator of the release before gives it no right to that, until it is replaced too."""
    rights = worker_permissions(QUEUE, rig.config.pool.uid)
    rig.vhost.permit(rig.user, **{**rights, "configure": "^$", "read": f"^{QUEUE}$"})
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task("an old operator"))
    (end,) = rig.wait_ends(1)
    assert end.outcome == "succeeded"
    rig.vhost.permit(rig.user, **rights)
    slow = task("[standin:slow=120]")
    rig.send(slow)
    until(lambda: runs(comfyui), "the prompt runs")
    cancel = cancel_of(rig, slow)

    def ended() -> EndRecord | None:
        rig.command(cancel, names.command_key(rig.config.pool.uid, "worker-0"))
        return end_of(rig, cancel)

    assert until(ended, "its end, as soon as it has the right", 30).outcome == "cancelled"
    assert worker.events("cancel_received")[0]["verdict"] == "taken"


@pytest.mark.parametrize("right", ["configure", "write", "read"])
def test_the_rights_of_a_worker_are_no_wider_than_its_pool(rig: Rig, right: str) -> None:
    rights = rig.vhost.api("GET", f"permissions/{rig.vhost.name}/{rig.user}")
    assert rig.config.pool.uid in rights[right].replace("\\", "")
    assert ".*" not in rights[right].replace(r"\..*", "")
