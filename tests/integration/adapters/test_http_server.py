from __future__ import annotations

import socket
import struct
import threading

import pytest
import requests
from structlog.testing import capture_logs

from genpool_adapters.http_server import Answer, HttpServer, probe, program_routes
from genpool_core.errors import SettingsError
from integration.broker import until


def test_probes_and_metrics() -> None:
    trouble: list[str] = []
    server = HttpServer(
        0,
        program_routes(
            unhealthy=lambda: None, unready=lambda: trouble[0] if trouble else None, render=lambda: b"a 1\n"
        ),
        host="127.0.0.1",
    )
    server.start()
    try:
        base = f"http://127.0.0.1:{server.port}"
        assert requests.get(f"{base}/healthz", timeout=5).text == "ok\n"
        assert requests.head(f"{base}/healthz", timeout=5).text == ""
        assert (
            requests.get(f"{base}/metrics", timeout=5)
            .headers["Content-Type"]
            .startswith("text/plain; version")
        )
        assert requests.get(f"{base}/other", timeout=5).status_code == 404
        trouble.append("RabbitMQ does not answer.")
        assert requests.get(f"{base}/healthz", timeout=5).status_code == 200
        answer = requests.get(f"{base}/readyz", timeout=5)
        assert (answer.status_code, answer.text) == (503, "RabbitMQ does not answer.\n")
    finally:
        server.stop()


def test_a_prober_that_did_not_wait_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    asked, gone, answered = threading.Event(), threading.Event(), threading.Event()

    def slow() -> Answer:
        asked.set()
        assert gone.wait(10)
        answered.set()
        return Answer(200, b"x" * 10_000_000)

    server = HttpServer(0, {"/slow": slow, "/healthz": probe(lambda: None)}, host="127.0.0.1")
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as prober:
            prober.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
            assert asked.wait(10)
            assert _answering()
            prober.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )  # a reset, no goodbye
        gone.set()
        assert answered.wait(10)
        until(lambda: not _answering(), "the answer to have failed")
        assert requests.get(f"http://127.0.0.1:{server.port}/healthz", timeout=5).ok
    finally:
        server.stop()
    told = capfd.readouterr()
    assert "Traceback" not in told.out + told.err


def _answering() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "process_request_thread" in thread.name]


def test_a_fault_of_a_route_is_logged() -> None:
    server = HttpServer(0, {"/broken": lambda: Answer(1 // 0, b"")}, host="127.0.0.1")
    server.start()
    try:
        with capture_logs() as logged, pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.port}/broken", timeout=5)
    finally:
        server.stop()
    assert [entry["event"] for entry in logged] == ["http_request_failed"]


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    server = HttpServer(0, {}, host="127.0.0.1")
    try:
        with pytest.raises(SettingsError) as caught:
            HttpServer(server.port, {}, host="127.0.0.1")
    finally:
        server.stop()
    assert caught.value.message == (
        f"port {server.port} for probes and metrics cannot be used (Address already in use): set GENPOOL_HTTP_PORT to "
        "a free one."
    )
