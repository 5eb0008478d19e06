"""What happens to a task when something goes away in the middle of it: worker, ComfyUI, broker, store."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from genpool_core.messages.events import TaskClaimed, WorkerHeartbeat
from genpool_core.timing import SHORTEST_GRACE_SECONDS
from integration.broker import until
from integration.worker.rig import QUEUE, Process, Rig
from support.tcpproxy import TcpProxy

LEASE_SECONDS = 30


def task(seconds: float, prompt: str = "a sunset") -> dict[str, object]:
    return {
        "task_id": str(uuid.uuid4()),
        "prompt": f"{prompt} [standin:slow={seconds}]",
        "width": 256,
        "height": 256,
        "callback_url": "https://client.example/hook",
    }


def wait_busy(worker: Process) -> None:
    """The worker has a task, and ComfyUI its prompt."""
    until(lambda: worker.events("task_claimed"), "a claim")
    until(lambda: 'state{state="busy"} 1.0' in worker.get("/metrics").text, "the worker is busy")


def wait_running(comfyui: Process) -> None:
    until(lambda: comfyui.get("/queue").json()["queue_running"], "a prompt runs")


def another(rig: Rig) -> Process:
    """A second worker, with a ComfyUI of its own."""
    rig.comfyui_port = 0
    rig.comfyui(scratch="scratch-1")
    return rig.worker("worker-1", GENPOOL_SCRATCH_DIR=str(rig.folder / "scratch-1"))


def assert_one_end(rig: Rig, *, attempt: int, outcome: str = "succeeded") -> None:
    (end,) = rig.wait_ends(1, LEASE_SECONDS + 30)
    assert (end.outcome, end.attempt) == (outcome, attempt), end.message
    assert sorted(rig.outputs()) == sorted(output.key for output in end.outputs)
    assert len({callback.id for callback in rig.callbacks()}) == 1
    assert bool(rig.dead_letters()) == (outcome == "dead")


@pytest.fixture
def s3_proxy(rig: Rig) -> Iterator[TcpProxy]:
    where = urlsplit(rig.bucket.endpoint)
    proxy = TcpProxy(where.hostname or "127.0.0.1", where.port or 80)
    rig.configure(s3=rig.config.s3.model_copy(update={"endpoint": f"http://{proxy.address}"}))
    yield proxy
    proxy.close()


@pytest.fixture
def amqp_proxy(rig: Rig) -> Iterator[TcpProxy]:
    proxy = TcpProxy(rig.vhost.server.host, rig.vhost.server.port)
    yield proxy
    proxy.close()


def through(proxy: TcpProxy) -> dict[str, str]:
    return {"GENPOOL_BROKER_HOST": "127.0.0.1", "GENPOOL_BROKER_PORT": str(proxy.port)}


def test_worker_killed_its_container_starts_again(rig: Rig) -> None:
    """Under the pod's own name: no wait for the lease, and the prompt that is left in ComfyUI is stopped."""
    comfyui = rig.comfyui()
    first = rig.worker()
    rig.send({**task(0), "prompt": "[standin:slow=60:once]"})
    wait_running(comfyui)
    first.signal(signal.SIGKILL)
    first.wait()
    started = time.monotonic()
    rig.worker(wait=False)
    assert_one_end(rig, attempt=2)
    assert time.monotonic() - started < LEASE_SECONDS


def test_worker_killed_another_takes_over(rig: Rig) -> None:
    comfyui = rig.comfyui()
    first = rig.worker()
    rig.send(task(4))
    wait_running(comfyui)
    first.signal(signal.SIGKILL)
    first.wait()
    another(rig)
    assert_one_end(rig, attempt=2)


def test_drain_lets_the_task_end(rig: Rig) -> None:
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(3))
    wait_running(comfyui)
    rig.send(task(0))
    worker.signal(signal.SIGTERM)
    until(lambda: 'state{state="draining"} 1.0' in worker.get("/metrics").text, "it drains")
    assert worker.get("/readyz").status_code == 200
    assert worker.wait(20) == 0
    (end,) = rig.ends()
    assert (end.outcome, end.attempt) == ("succeeded", 1)
    until(lambda: rig.vhost.ready(QUEUE) == 1, "the second task waits for another worker")
    assert len(rig.claims()) == 1


def test_drain_gives_back_what_cannot_end_in_time(rig: Rig) -> None:
    rig.configure(grace_seconds=6)
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(60))
    wait_running(comfyui)
    started = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert time.monotonic() - started < 6
    (claim,) = rig.claims()
    assert claim.released_at is not None
    assert not rig.ends()
    until(lambda: not comfyui.get("/queue").json()["queue_running"], "the prompt was interrupted")
    until(lambda: rig.vhost.ready(QUEUE) == 1, "the task is back")


def test_a_released_task_is_taken_up_at_once(rig: Rig) -> None:
    rig.configure(grace_seconds=6, max_attempts=1)
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(8))
    wait_running(comfyui)
    worker.signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    rig.worker("worker-1")
    assert_one_end(rig, attempt=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_goes_at_once_and_leaves_comfyui_alone(rig: Rig, number: signal.Signals) -> None:
    """Kubernetes ends ComfyUI as soon as the worker has ended: ``test_init``."""
    comfyui = rig.comfyui()
    worker = rig.worker()
    started = time.monotonic()
    worker.signal(number)
    assert worker.wait(10) == 0
    assert time.monotonic() - started < 2
    assert comfyui.get("/prompt").status_code == 200


def test_a_draining_worker_without_comfyui_hands_back_at_once(rig: Rig) -> None:
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(60))
    wait_running(comfyui)
    worker.signal(signal.SIGTERM)
    comfyui.signal(signal.SIGKILL)
    assert worker.wait(10) == 0
    (claim,) = rig.claims()
    assert claim.released_at is not None


def test_comfyui_crashes_and_comes_back(rig: Rig) -> None:
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(1, "[standin:crash:once]"))
    comfyui.wait(30)
    until(lambda: 'state{state="unready"} 1.0' in worker.get("/metrics").text, "it is unready")
    assert worker.get("/readyz").status_code == 200
    rig.send(task(0))
    until(lambda: rig.vhost.ready(QUEUE) == 2, "nothing is taken while ComfyUI is away")
    rig.comfyui()
    ends = rig.wait_ends(2)
    assert sorted((end.outcome, end.attempt) for end in ends) == [("succeeded", 1), ("succeeded", 2)]
    failures = [claim.failure.reason for claim in rig.claims() if claim.failure]
    assert failures == ["ComfyUILost"]


def test_comfyui_hangs_and_is_restarted(rig: Rig) -> None:
    comfyui = rig.comfyui()
    rig.worker()
    rig.send(task(3))
    wait_running(comfyui)
    comfyui.signal(signal.SIGSTOP)
    time.sleep(12)  # longer than one of the worker's calls waits
    assert not rig.ends()
    comfyui.signal(signal.SIGKILL)
    comfyui.wait()
    rig.comfyui()
    assert_one_end(rig, attempt=2)


def test_a_short_hang_costs_nothing(rig: Rig) -> None:
    comfyui = rig.comfyui()
    rig.worker()
    rig.send(task(3))
    wait_running(comfyui)
    comfyui.signal(signal.SIGSTOP)
    time.sleep(11)  # longer than one of the worker's calls waits
    comfyui.signal(signal.SIGCONT)
    assert_one_end(rig, attempt=1)


def test_a_run_over_its_time_is_interrupted(rig: Rig) -> None:
    entries = [entry.model_copy(update={"timeout_seconds": 2}) for entry in rig.config.workflows]
    rig.configure(workflows=entries, max_attempts=1)
    comfyui = rig.comfyui()
    rig.worker()
    rig.send(task(30))
    assert_one_end(rig, attempt=1, outcome="dead")
    assert rig.ends()[0].reason == "TimedOut"
    until(lambda: not comfyui.get("/queue").json()["queue_running"], "the prompt was interrupted")
    until(lambda: not list((rig.folder / "scratch" / "output").rglob("*")), "its files are gone")


def test_broker_connection_cut_in_the_middle(rig: Rig, amqp_proxy: TcpProxy) -> None:
    """The broker gives the task to a second worker, which leaves it to the first."""
    comfyui = rig.comfyui()
    rig.worker(**through(amqp_proxy))
    rig.send(task(15))
    wait_running(comfyui)
    another(rig)
    amqp_proxy.break_connections()
    assert_one_end(rig, attempt=1)
    assert len(rig.claims()) == 1


def test_broker_away_when_the_run_ends(rig: Rig, amqp_proxy: TcpProxy) -> None:
    comfyui = rig.comfyui()
    worker = rig.worker(**through(amqp_proxy))
    rig.send(task(2))
    wait_running(comfyui)
    amqp_proxy.cut()
    until(lambda: worker.events("task_held"), "the worker holds its result", 30)
    amqp_proxy.mend()
    assert_one_end(rig, attempt=1)


def test_store_away_when_the_run_ends(rig: Rig, s3_proxy: TcpProxy) -> None:
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(2))
    wait_running(comfyui)
    s3_proxy.cut()
    until(lambda: worker.events("task_held"), "the worker holds its result", 40)
    s3_proxy.mend()
    assert_one_end(rig, attempt=1)


def test_a_drain_does_not_wait_for_a_store_that_hangs(rig: Rig, s3_proxy: TcpProxy) -> None:
    """It accepts and never answers: each of its time-outs alone is longer than the margin."""
    rig.configure(grace_seconds=SHORTEST_GRACE_SECONDS)
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(2))
    wait_running(comfyui)
    s3_proxy.hang()
    started = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert worker.wait(SHORTEST_GRACE_SECONDS) == 0
    assert time.monotonic() - started < SHORTEST_GRACE_SECONDS
    until(lambda: rig.vhost.ready(QUEUE) == 1, "the task is back")
    assert not rig.ends()


def test_store_away_before_the_claim(rig: Rig, s3_proxy: TcpProxy) -> None:
    rig.comfyui()
    worker = rig.worker()
    s3_proxy.cut()
    rig.send(task(0))
    until(lambda: 'state{state="unready"} 1.0' in worker.get("/metrics").text, "it is unready", 40)
    until(lambda: rig.vhost.ready(QUEUE) == 1, "the task is back")
    s3_proxy.mend()
    assert_one_end(rig, attempt=1)


def test_a_worker_waits_for_what_is_not_there_yet(rig: Rig, s3_proxy: TcpProxy) -> None:
    s3_proxy.cut()
    worker = rig.worker(wait=False)
    until(lambda: worker.events("worker_waits"), "it says what it waits for", 30)
    assert worker.get("/readyz").status_code == 503
    assert worker.get("/healthz").status_code == 200
    s3_proxy.mend()
    until(lambda: any("ComfyUI" in line["message"] for line in worker.events("worker_waits")), "ComfyUI next")
    rig.comfyui()
    until(lambda: worker.get("/readyz").status_code == 200, "it is ready")


def test_heartbeats(rig: Rig) -> None:
    rig.vhost.queue("beats")
    rig.vhost.bind("genpool.events", "beats", f"{rig.config.pool.uid}.worker.heartbeat")
    comfyui = rig.comfyui()
    worker = rig.worker()
    rig.send(task(1))
    wait_running(comfyui)
    rig.wait_ends(1)
    worker.signal(signal.SIGTERM)
    worker.wait(10)
    beats = [WorkerHeartbeat.model_validate_json(body) for _, body in rig.taken("beats")]
    states = [beat.state for beat in beats]
    assert [state for index, state in enumerate(states) if index == 0 or states[index - 1] != state] == [
        "starting",
        "idle",
        "busy",
        "idle",
        "draining",
    ]
    (claimed,) = [event for event in rig.events() if isinstance(event, TaskClaimed)]
    assert {beat.task_key for beat in beats if beat.state == "busy"} == {claimed.task_key}
