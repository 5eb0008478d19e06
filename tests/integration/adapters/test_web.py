from __future__ import annotations

import requests

from genpool_adapters.web import WebServer, metrics, probe


def test_probes_and_metrics() -> None:
    trouble: list[str] = []
    server = WebServer(
        0,
        {"/healthz": probe(lambda: trouble[0] if trouble else None), "/metrics": metrics(lambda: b"a 1\n")},
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
        answer = requests.get(f"{base}/healthz", timeout=5)
        assert (answer.status_code, answer.text) == (503, "RabbitMQ does not answer.\n")
    finally:
        server.stop()
