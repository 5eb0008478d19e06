"""A task that wedges every ComfyUI takes no pod out of service: on two workers, each with its kubelet."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
import requests

from contract.comfyui import graphs
from genpool_core.messages.events import WorkerHeartbeat
from integration.broker import until
from integration.worker.kubelet import Kubelet
from integration.worker.rig import Process, Rig

TIMEOUT_SECONDS = 3
GOOD_TASKS = 20
#: From the end of a run that wedged ComfyUI until its worker takes tasks again.
BACK_SECONDS = 30


def task(prompt: str) -> dict[str, object]:
    return {"task_id": str(uuid.uuid4()), "prompt": prompt, "width": 64, "height": 64}


@contextmanager
def pod(rig: Rig, name: str) -> Iterator[tuple[Process, Kubelet]]:
    """A worker, its ComfyUI, and who restarts that."""
    mark = rig.folder / f"restart-{name}"
    rig.comfyui_port = 0
    comfyui = rig.comfyui(scratch=name)
    port = comfyui.port

    def restart() -> Process:
        return rig.comfyui(scratch=name, port=port)

    worker = rig.worker(name, GENPOOL_SCRATCH_DIR=str(rig.folder / name), GENPOOL_RESTART_FILE=str(mark))
    with Kubelet(comfyui, mark, restart) as kubelet:
        yield worker, kubelet


def in_service(worker: Process) -> bool:
    """It takes tasks, or has one."""
    text = worker.get("/metrics").text
    return any(f'state{{state="{state}"}} 1.0' in text for state in ("idle", "busy"))


def restarts(pods: Sequence[tuple[Process, Kubelet]]) -> list[str]:
    """What the failed probes of all pods printed."""
    return [said for _, kubelet in pods for said in kubelet.said]


@pytest.fixture
def short(rig: Rig) -> Rig:
    entries = [
        entry.model_copy(update={"timeout_seconds": TIMEOUT_SECONDS}) for entry in rig.config.workflows
    ]
    rig.configure(workflows=entries, max_attempts=2)
    return rig


@pytest.mark.parametrize("fault", ["block=3600", "exit"])
def test_the_good_tasks_are_done_and_the_bad_one_ends(short: Rig, fault: str) -> None:
    with ExitStack() as pods:
        workers = [pods.enter_context(pod(short, f"worker-{number}")) for number in range(2)]
        bad = task(f"[standin:{fault}]")
        short.send(bad)
        for number in range(GOOD_TASKS):
            short.send(task(f"number {number}"))
        ends = short.wait_ends(GOOD_TASKS + 1, 120)
        assert [end.outcome for end in ends].count("succeeded") == GOOD_TASKS
        (dead,) = [end for end in ends if end.outcome == "dead"]
        assert (dead.task_id, dead.reason, dead.attempt) == (bad["task_id"], "Wedged", 2)
        assert "wedged" in dead.message
        until(lambda: len(restarts(workers)) == 2, "a restart for each attempt", BACK_SECONDS)
        until(
            lambda: all(in_service(worker) for worker, _ in workers), "both are back in service", BACK_SECONDS
        )
        assert restarts(workers) == ["ComfyUI is wedged: it answers, and no prompt gets on"] * 2


def test_back_in_service_within_30_seconds(short: Rig) -> None:
    short.configure(max_attempts=1)
    short.vhost.queue("beats")
    short.vhost.bind("genpool.events", "beats", f"{short.config.pool.uid}.worker.heartbeat")
    with pod(short, "worker-0") as (worker, kubelet):
        short.send(task("[standin:block=3600]"))
        until(lambda: kubelet.comfyui.get("/queue").json()["queue_running"], "a prompt runs")
        time_is_over = time.monotonic() + TIMEOUT_SECONDS
        until(lambda: worker.events("comfyui_wedged"), "it is found to be wedged", 60)
        until(lambda: kubelet.said and in_service(worker), "it is back in service", BACK_SECONDS)
        assert time.monotonic() - time_is_over < BACK_SECONDS
    assert_told(short)


def assert_told(rig: Rig) -> None:
    """The operator heard that ComfyUI was wedged, and that it is no more."""
    beats = [WorkerHeartbeat.model_validate_json(body) for _, body in rig.taken("beats")]
    wedged = [index for index, beat in enumerate(beats) if beat.wedged_seconds is not None]
    assert wedged
    assert beats[wedged[-1]].state == "unready"
    after = beats[wedged[-1] + 1 :]
    assert {(beat.wedged_seconds, beat.wedged_times) for beat in after} == {(None, 1)}


def test_a_wedge_that_is_found_by_the_next_worker(short: Rig) -> None:
    """The worker dies with its prompt in ComfyUI, and the prompt does not stop."""
    with pod(short, "worker-0") as (first, kubelet):
        short.send(task("[standin:block=3600:once]"))
        until(lambda: kubelet.comfyui.get("/queue").json()["queue_running"], "a prompt runs")
        first.popen.kill()
        first.wait()
        second = short.worker(
            "worker-0",
            wait=False,
            GENPOOL_SCRATCH_DIR=str(short.folder / "worker-0"),
            GENPOOL_RESTART_FILE=str(kubelet.mark),
        )
        until(lambda: second.events("comfyui_wedged"), "it is found to be wedged", 60)
        (end,) = short.wait_ends(1, 60)
        assert (end.outcome, end.attempt) == ("succeeded", 2)
        assert len(kubelet.said) == 1


def test_a_prompt_that_no_worker_sent_stands_in_the_way(short: Rig) -> None:
    """Such as a node's own, posted to 127.0.0.1: the task behind it has its time, and then the pod goes on."""
    with pod(short, "worker-0") as (worker, kubelet):
        graph = graphs.text_to_image("[standin:block=3600]")
        with requests.Session() as session:
            session.trust_env = False
            url = f"http://127.0.0.1:{kubelet.comfyui.port}/prompt"
            assert session.post(url, json={"prompt": graph}, timeout=10).ok
        short.send(task("behind it"))
        (end,) = short.wait_ends(1, 60)
        assert (end.outcome, end.attempt) == ("succeeded", 2)
        assert [claim.failure.reason for claim in short.claims() if claim.failure] == ["Wedged"]
        assert len(kubelet.said) == 1
        assert in_service(worker)


def test_a_prompt_that_never_begins_is_found_long_before_its_time_is_over(rig: Rig) -> None:
    """ComfyUI's thread for prompts ended after the last one: nothing runs, and the next one only waits."""
    with pod(rig, "worker-0") as (worker, kubelet):
        rig.send(task("[standin:exit-after]"))
        rig.wait_ends(1)
        started = time.monotonic()
        rig.send(task("the next one"))
        ends = rig.wait_ends(2, 60)
        assert time.monotonic() - started < rig.config.workflows[0].timeout_seconds
        assert {(end.outcome, end.reason) for end in ends} == {("succeeded", "Succeeded")}
        assert [claim.failure.reason for claim in rig.claims() if claim.failure] == ["Wedged"]
        assert len(kubelet.said) == 1
        assert in_service(worker)
