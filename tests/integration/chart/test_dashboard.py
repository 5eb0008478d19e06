"""The dashboard's queries and the rules on a real Prometheus, which reads the metrics of all three programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from genpool_adapters.http_server import HttpServer, program_routes
from genpool_dev import prometheus
from genpool_dev.prometheus import PrometheusServer
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_operator.adapters.metrics import OperatorMetrics
from genpool_worker.adapters.metrics import WorkerMetrics
from support import dashboard
from support.waiting import wait_until
from unit.programs import counted

SECONDS = 30


@pytest.fixture(scope="module")
def server() -> Iterator[PrometheusServer]:
    """It reads what the programs serve; each look at them counts everything once more."""
    operator, worker, gateway = OperatorMetrics(), WorkerMetrics(), GatewayMetrics()

    def of_operator() -> bytes:
        return counted.operator(operator).registry.render()

    def of_worker() -> bytes:
        return counted.worker(worker).registry.render()

    def of_gateway() -> bytes:
        return counted.gateway(gateway).registry.render()

    renders = {"operator": of_operator, "worker": of_worker, "gateway": of_gateway}
    with ExitStack() as exits:
        scrapes = [scrape(name, port_of(exits, render)) for name, render in renders.items()]
        yield exits.enter_context(prometheus.running(scrapes, dashboard.rule_groups()))


def port_of(exits: ExitStack, render: Callable[[], bytes]) -> int:
    routes = program_routes(unhealthy=lambda: None, unready=lambda: None, render=render)
    served = HttpServer(0, routes, host="127.0.0.1")
    served.start()
    exits.callback(served.stop)
    return served.port


def scrape(name: str, port: int) -> dict[str, Any]:
    """As the monitors of the chart say it."""
    labels = (
        {"namespace": "team", "pool": "pictures"} if name == "worker" else {"namespace": "genpool-system"}
    )
    return {
        "job_name": f"genpool-{name}",
        "honor_labels": name == "operator",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": labels}],
    }


def test_every_query_of_the_dashboard_has_data(server: PrometheusServer) -> None:
    dashboard.wait_answered(server, seconds=SECONDS)


def test_every_rule_is_evaluated(server: PrometheusServer) -> None:
    wait_until(lambda: dashboard.broken_rules(server), lambda found: not found, "all rules", seconds=SECONDS)
    backlog = wait_until(
        lambda: server.query("genpool:pool_drain:seconds"), bool, "the time of the backlog", seconds=SECONDS
    )
    assert backlog[0]["metric"]["pool"] == "pictures"
    given_up = 'ALERTS{alertname="GenPoolCallbacksGivenUp"}'
    wait_until(lambda: server.query(given_up), bool, "the alert of a callback", seconds=SECONDS)


def test_the_panels_lie_side_by_side() -> None:
    """No two on the same place, and none beyond the edge."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard.panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
