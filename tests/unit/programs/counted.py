"""The metrics of each program after each thing that it counts has happened once."""

from __future__ import annotations

from dataclasses import dataclass, field

from genpool_adapters.metrics import Registry
from genpool_core.api.status import GenerationPoolStatus
from genpool_gateway.adapters.metrics import GatewayMetrics, IntakeMetrics
from genpool_operator.adapters.metrics import OperatorMetrics
from genpool_worker.adapters.metrics import WorkerMetrics
from unit.operator.pools import make_pool


@dataclass
class Program:
    """A program's metrics after each thing that it counts has happened once."""

    registry: Registry
    families: list[str]
    """Kind, name and labels, in the order of ``/metrics``."""
    values: dict[str, set[str]] = field(default_factory=dict)
    """Values of labels that the program itself chooses, by label."""


def operator(metrics: OperatorMetrics | None = None) -> Program:
    metrics = metrics or OperatorMetrics()
    status = {
        "replicas": 1,
        "readyReplicas": 1,
        "busyReplicas": 0,
        "queue": {"waiting": 1, "running": 2, "deadLettered": 3},
        "scaling": {"desired": 2, "reason": "FollowsQueue"},
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "message": "",
                "lastTransitionTime": "2026-05-01T00:00:00Z",
            }
        ],
    }
    metrics.took(0.1, full=True)
    metrics.took(0.1, full=False)
    metrics.failed("BrokerUnreachable")
    metrics.show(
        "team", "pictures", make_pool(slaSeconds=60).spec, GenerationPoolStatus.model_validate(status)
    )
    return Program(
        metrics.registry,
        [
            "histogram genpool_reconcile_seconds{whole}",
            "counter genpool_reconcile_errors_total{reason}",
            "gauge genpool_pool_desired_replicas{namespace,pool}",
            "gauge genpool_pool_current_replicas{namespace,pool}",
            "gauge genpool_pool_ready_replicas{namespace,pool}",
            "gauge genpool_pool_busy_replicas{namespace,pool}",
            "gauge genpool_pool_waiting_tasks{namespace,pool}",
            "gauge genpool_pool_running_tasks{namespace,pool}",
            "gauge genpool_pool_dead_lettered_tasks{namespace,pool}",
            "gauge genpool_pool_min_replicas{namespace,pool}",
            "gauge genpool_pool_max_replicas{namespace,pool}",
            "gauge genpool_pool_sla_seconds{namespace,pool}",
            "gauge genpool_pool_scaling_reason{namespace,pool,reason}",
            "gauge genpool_pool_condition{namespace,pool,condition}",
        ],
        {
            "whole": {"true", "false"},
            "le": {"0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "30.0", "+Inf"},
        },
    )


def worker(metrics: WorkerMetrics | None = None) -> Program:
    metrics = metrics or WorkerMetrics()
    metrics.task("succeeded", "Succeeded")
    metrics.waited(40.0)
    metrics.attempt("released", "Drained")
    metrics.message("parked")
    metrics.moved("input", 3)
    metrics.state("busy")
    with metrics.phase("run"):
        pass
    return Program(
        metrics.registry,
        [
            "counter genpool_worker_tasks_total{outcome,reason}",
            "counter genpool_worker_attempts_total{result,reason}",
            "counter genpool_worker_messages_total{what}",
            "histogram genpool_worker_phase_seconds{phase}",
            "histogram genpool_worker_wait_seconds",
            "gauge genpool_worker_state{state}",
            "counter genpool_worker_bytes_total{what}",
        ],
        {
            "state": {"starting", "idle", "busy", "draining", "unready"},
            "le": {
                *("0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0"),
                *("30.0", "60.0", "120.0", "300.0", "600.0", "1800.0", "+Inf"),
                *("15.0", "3600.0", "7200.0", "21600.0", "86400.0"),
            },
        },
    )


def gateway(metrics: GatewayMetrics | None = None) -> Program:
    metrics = metrics or GatewayMetrics()
    vhost = metrics.vhost("default", "/")
    vhost.delivered(0.1)
    vhost.retried(0.1)
    vhost.dead("ReceiverGone")
    vhost.stepped_aside()
    vhost.connected(yes=True)
    intake = IntakeMetrics(metrics, "default", "/", "photo_repair_tasks")
    intake.routed("photos/people")
    intake.put_aside("QueueFull")
    intake.dead("WorkflowUnknown")
    metrics.events_full(("default", "/"), yes=True)
    metrics.to_rebuild(2)
    metrics.rebuilt("read")
    metrics.ends_waiting(3)
    api = metrics.api
    api.answered("POST", "/v1/tasks", 202, 0.01)
    api.answered("GET", "/v1/tasks/{task}", 500, 0.01)
    api.accepted("team/pictures")
    api.refused("QueueFull")
    return Program(
        metrics.registry,
        [
            "counter genpool_callbacks_delivered_total{broker,vhost}",
            "counter genpool_callbacks_retried_total{broker,vhost}",
            "counter genpool_callbacks_stepped_aside_total{broker,vhost}",
            "counter genpool_callbacks_dead_total{broker,vhost,reason}",
            "histogram genpool_callback_seconds{broker,vhost,outcome}",
            "gauge genpool_broker_connected{broker,vhost}",
            "counter genpool_intake_messages_total{broker,vhost,intake,outcome,reason}",
            "counter genpool_intake_tasks_total{broker,vhost,intake,pool}",
            "gauge genpool_events_queue_full{broker,vhost}",
            "gauge genpool_rebuilds_waiting",
            "counter genpool_rebuilds_total{outcome}",
            "counter genpool_api_requests_total{method,route,status}",
            "histogram genpool_api_request_seconds{method,route}",
            "counter genpool_api_tasks_accepted_total{pool}",
            "counter genpool_api_tasks_refused_total{reason}",
            "gauge genpool_api_watchers",
            "gauge genpool_ends_waiting",
        ],
        {
            "outcome": {"delivered", "failed", "routed", "put_aside", "dead", "read"},
            "method": {"GET", "POST"},
            "route": {"/v1/tasks", "/v1/tasks/{task}"},
            "status": {"202", "500"},
            "le": {
                "0.005",
                "0.01",
                "0.025",
                "0.05",
                "0.1",
                "0.25",
                "0.5",
                "1.0",
                "2.5",
                "5.0",
                "10.0",
                "+Inf",
            },
        },
    )
