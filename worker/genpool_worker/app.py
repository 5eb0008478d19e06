"""The worker's process: ``python -m genpool_worker.app``.

Threads: this one waits for signals; ``consumer`` works on tasks; two own the AMQP connections; ``heartbeat`` sends
heartbeats and progress; ``lease`` renews the claim in hand; one serves probes and metrics.

Order of a drain: stop consuming, let the task in hand end (or hand it back when the grace is nearly over), close the
connections (the broker requeues what was delivered and not begun), exit. Kubernetes then ends ComfyUI's container.
"""

from __future__ import annotations

import signal

import structlog

from genpool_adapters.program import leave, run_program
from genpool_adapters.signals import END_SIGNALS
from genpool_core import timing
from genpool_worker.factory import Worker, build_worker
from genpool_worker.settings import WorkerSettings

_log = structlog.get_logger("genpool_worker.app")
EXIT_FAULT = 1


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    # Blocked here, before there are threads, the signals come to this thread and to nobody else.
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    return run_program("worker", WorkerSettings, build_worker, run)


def run(worker: Worker) -> int:
    """Start everything, wait for the end, stop everything. The exit status is 1 where the work ended for good."""
    _log.info("worker_starts", pod=worker.settings.pod_name, http_port=worker.http.port)
    worker.start()
    received = _wait_for_signal(worker)
    if received is None:
        worker.stop()
        return EXIT_FAULT
    _drain(worker, received)
    worker.stop()
    _log.info("worker_ends")
    return 0


def _wait_for_signal(worker: Worker) -> signal.Signals | None:
    """The signal that ends this worker, or None when its work failed for good."""
    while not worker.thread.failed:
        info = signal.sigtimedwait(END_SIGNALS, timing.FAILED_TICK_SECONDS)
        if info is not None:
            return signal.Signals(info.si_signo)
    return None


def _drain(worker: Worker, received: signal.Signals) -> None:
    worker.drain.begin()
    worker.status.drain()
    busy = worker.consumer.busy
    _log.info("worker_drains", signal=received.name, busy=busy, seconds=round(worker.drain.remaining))
    worker.inbox.wake()
    worker.consumer.stop_consuming()
    worker.thread.join(worker.drain.remaining + timing.RELEASE_SECONDS if busy else timing.IDLE_STOP_SECONDS)


if __name__ == "__main__":
    leave(main())
