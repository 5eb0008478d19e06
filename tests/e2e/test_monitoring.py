"""A real Prometheus reads the programs in their pods, and answers the dashboard and the rules from what it read."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from e2e.lab import Lab
from e2e.manifests import POOL, task
from e2e.scenes import Scene
from genpool_core import names
from genpool_dev import prometheus
from genpool_dev.stack import layout
from support import dashboard
from support.waiting import wait_until

#: What happens by bad luck alone, and must not be made to happen to all tests: integration tests have it.
UNLUCKY = {"Callbacks C", "The operator's passes B"}
SECONDS = 90


@pytest.mark.together
def test_the_dashboard_shows_a_pool_at_work(lab: Lab) -> None:
    with lab.scene("monitoring", scaling={"minReplicas": 1, "maxReplicas": 1}, slaSeconds=600) as scene:
        scene.apply()
        (worker,) = scene.wait_ready_pods(1)
        with api_server(lab) as port:
            scrapes = [
                scrape(port, program_pod(lab, "operator"), honor_labels=True),
                scrape(port, program_pod(lab, "gateway")),
                scrape(port, worker, pool=worker["metadata"]["labels"][names.LABEL_INSTANCE]),
            ]
            with prometheus.running(scrapes, dashboard.rule_groups()) as server:
                up = "sum(up) == 3"
                wait_until(lambda: server.query(up), bool, "Prometheus to read all three", seconds=SECONDS)
                send(lab, scene)
                dashboard.wait_answered(server, but=UNLUCKY, seconds=SECONDS)
                letters = f'ALERTS{{alertname="GenPoolDeadLetters",namespace="{scene.place}",pool="{POOL}"}}'
                wait_until(lambda: server.query(letters), bool, "the alert of dead letters", seconds=SECONDS)
                waits = f'genpool_worker_wait_seconds_count{{namespace="{scene.place}"}} > 0'
                wait_until(lambda: server.query(waits), bool, "the wait of a task", seconds=SECONDS)
                assert dashboard.broken_rules(server) == []


def send(lab: Lab, scene: Scene) -> None:
    """A task that fails for good, some that keep the pod at work, and one that is refused.

    Those of the API have a time in the queue.
    """
    scene.send(task("watched-failure", "fail-node"))
    api = lab.api()
    for number in range(6):
        sent = task(f"watched-{number}", "slow=2")
        parameters = {key: sent[key] for key in ("prompt", "width", "height", "steps")}
        body = {"pool": f"{scene.place}/{POOL}", "parameters": parameters}
        # The gateway may still have no connection to the vhost.
        wait_until(
            partial(api.submit, body, idempotency_key=f"watched-{number}"),
            bool,
            "a task to be taken",
            seconds=SECONDS,
        )
    refused = api.call("POST", "/v1/tasks", {"pool": f"{scene.place}/{POOL}", "parameters": {}})
    assert refused.status_code == 422


def program_pod(lab: Lab, component: str) -> dict[str, Any]:
    """The pod of a program that is ready."""
    selector = f"--selector={names.LABEL_COMPONENT}={component}"
    found = lab.kubectl.get("pods", f"--namespace={layout.SYSTEM_NAMESPACE}", selector)
    return next(pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"])


def scrape(port: int, pod: dict[str, Any], *, honor_labels: bool = False, **labels: str) -> dict[str, Any]:
    """As the monitors of the chart say it, through the API server: pods of a cluster may not be reached from here."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": namespace, "pod": name, **labels}}]
    return {
        "job_name": name,
        "honor_labels": honor_labels,
        "metrics_path": f"/api/v1/namespaces/{namespace}/pods/{name}:8080/proxy/metrics",
        "static_configs": targets,
    }


@contextmanager
def api_server(lab: Lab) -> Iterator[int]:
    """A port of this machine that leads to the API server, with kubectl's rights."""
    command = lab.kubectl.command("proxy", "--port=0", "--address=127.0.0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            # It says where it listens.
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.terminate()
