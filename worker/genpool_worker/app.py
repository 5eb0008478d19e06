"""The worker's process: ``python -m genpool_worker.app``.

Threads: this one waits for signals; ``consumer`` works on tasks; two own the AMQP connections; ``heartbeat`` sends
heartbeats and progress; ``lease`` renews the claim in hand; one serves probes and metrics.

Order of a drain: stop consuming, let the task in hand end (or hand it back when the grace is nearly over), close the
connections (the broker requeues what was delivered and not begun), end ComfyUI, exit.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

import structlog

from genpool_adapters.logs import configure_logging
from genpool_adapters.web import WebServer, metrics, probe
from genpool_core import timing
from genpool_core.errors import GenPoolError
from genpool_worker.comfyui.process import end_listener
from genpool_worker.errors import SettingsError
from genpool_worker.factory import Worker, build_worker
from genpool_worker.files.workdir import clean_leftovers
from genpool_worker.settings import WorkerSettings, load_settings

_log = structlog.get_logger("genpool_worker.app")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
EXIT_SETTINGS = 2
EXIT_FAULT = 1


def main() -> int:
    """Run until a signal; returns the exit code."""
    configure_logging("worker")
    try:
        settings = load_settings()
        configure_logging("worker", settings.log_format, settings.log_level)
        # Blocked here, before there are threads, the signals come to this thread and to nobody else.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        process = Process(settings, build_worker(settings))
    except GenPoolError as error:
        _log.error("worker_refuses", reason=error.reason, message=error.message)
        return EXIT_SETTINGS
    return process.run()


class Process:
    """The life of one worker. Its constructor raises SettingsError when the port of its probes is taken."""

    def __init__(self, settings: WorkerSettings, worker: Worker) -> None:
        self._settings = settings
        self._worker = worker
        self._failed = False
        self._thread = threading.Thread(target=self._consume, name="consumer", daemon=True)
        routes = {
            "/healthz": probe(self._health),
            "/readyz": probe(self._readiness),
            "/metrics": metrics(worker.metrics.text),
        }
        try:
            self._web = WebServer(settings.http_port, routes)
        except OSError as error:
            raise SettingsError(
                f"port {settings.http_port} for probes and metrics cannot be used ({error.strerror}): set "
                "GENPOOL_HTTP_PORT to a free one."
            ) from error

    def run(self) -> int:
        """Start everything, wait for the end, stop everything."""
        worker = self._worker
        clean_leftovers(self._settings.scratch_dir)
        self._web.start()
        _log.info("worker_starts", pod=self._settings.pod_name, http_port=self._web.port)
        worker.broker.start(worker.inbox.put)
        worker.heartbeat.start()
        self._thread.start()
        received = self._wait_for_signal()
        if received is None:
            self._close()
            return EXIT_FAULT
        self._drain(received)
        self._close()
        if received is signal.SIGTERM and self._settings.end_comfyui:
            end_listener(worker.comfyui_port)
        _log.info("worker_ends")
        return 0

    def _consume(self) -> None:
        try:
            self._worker.consumer.run()
        except GenPoolError as error:
            self._failed = True
            _log.error("worker_refuses", reason=error.reason, message=error.message)
        except BaseException:
            self._failed = True
            _log.exception("worker_failed")
            raise

    def _wait_for_signal(self) -> signal.Signals | None:
        """The signal that ends this worker, or None when its work failed for good."""
        while not self._failed:
            info = signal.sigtimedwait(_SIGNALS, timing.FAILED_TICK_SECONDS)
            if info is not None:
                return signal.Signals(info.si_signo)
        return None

    def _drain(self, received: signal.Signals) -> None:
        worker = self._worker
        worker.drain.begin()
        worker.status.drain()
        busy = worker.consumer.busy
        _log.info("worker_drains", signal=received.name, busy=busy, seconds=round(worker.drain.remaining))
        worker.inbox.wake()
        worker.consumer.stop_consuming()
        self._thread.join(
            worker.drain.remaining + timing.RELEASE_SECONDS if busy else timing.IDLE_STOP_SECONDS
        )

    def _close(self) -> None:
        self._worker.heartbeat.stop()
        self._worker.broker.stop()
        self._web.stop()

    def _health(self) -> str | None:
        alive = self._thread.is_alive() or self._worker.drain.active
        return None if alive else "the thread that works on tasks has ended: see the log."

    def _readiness(self) -> str | None:
        return None if self._worker.status.was_ready else "not ready yet: see the log for what it waits for."


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: a thread of a library that hangs, or a slow farewell of the interpreter, would keep the GPU.
    os._exit(code)
