"""Pools behind an intake, with a running operator: who is told what, whose queue it is, what the gateway may read."""

from __future__ import annotations

import re

import pytest

from genpool_core import names, timing
from genpool_core.operatorkeys import KEYS, OperatorKey, parse_keys
from integration.broker import Vhost, until
from integration.operator.harness import Json, Kubectl, OperatorProcess, pool_manifest

INTAKE = "photo_repair_tasks"
#: The next look at rights, and the pools' status before it.
SOON = timing.ACCESS_SECONDS + timing.RESYNC_SECONDS


def behind(vhost: str, pool: str, *workflows: str, **queue: object) -> Json:
    entries = [{"name": each, "source": {"builtin": "text-to-image"}} for each in workflows]
    return pool_manifest(
        vhost, name=pool, queue={"name": f"{pool}_tasks", "intake": INTAKE, **queue}, workflows=entries
    )


def gateway_reads(kubectl: Kubectl, vhost: Vhost, queue: str) -> bool:
    (key,) = parse_keys(kubectl.secret("genpool-operator-key")[KEYS], "the key")
    rights = vhost.api("GET", f"permissions/{vhost.name}/{names.gateway_user(OperatorKey(key).id)}")
    return re.search(rights["read"], queue) is not None


@pytest.mark.usefixtures("operator")
def test_two_pools_share_an_intake_and_the_one_that_stays_keeps_it(kubectl: Kubectl, rabbitmq: Vhost) -> None:
    kubectl.apply(behind(rabbitmq.name, "people", "people", "both"))
    assert kubectl.wait_condition("IntakeReady", "True", "people")["reason"] == "Routed"
    kubectl.apply(behind(rabbitmq.name, "buildings", "buildings", "both"))
    told = kubectl.wait_condition("IntakeReady", "False", "buildings")
    assert told["reason"] == "WorkflowServedTwice"
    assert f"{kubectl.namespace}/people" in told["message"]
    assert f"{kubectl.namespace}/buildings" in told["message"]
    kubectl.wait_condition("Ready", "True", "buildings")
    # As a producer does: bare.
    with rabbitmq.raw() as connection:
        connection.channel().queue_declare(INTAKE, durable=True)
        connection.channel().basic_publish("", INTAKE, b"{}")
    for queue in (INTAKE, names.dead_queue(INTAKE), "people_tasks", "buildings_tasks.dead"):
        until(lambda queue=queue: gateway_reads(kubectl, rabbitmq, queue), f"the gateway reads {queue}", SOON)
    assert not gateway_reads(kubectl, rabbitmq, "of_somebody_else")

    kubectl("delete", "generationpool", "people", "--timeout=20s")
    kubectl.wait_condition("IntakeReady", "True", "buildings")
    assert rabbitmq.ready(INTAKE) == 1
    until(lambda: not gateway_reads(kubectl, rabbitmq, "people_tasks"), "the rights follow", SOON)
    assert gateway_reads(kubectl, rabbitmq, INTAKE)


@pytest.mark.usefixtures("operator")
def test_whichever_was_there_first_keeps_the_queue(kubectl: Kubectl, rabbitmq: Vhost) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name, name="first", queue={"name": "first_tasks"}))
    kubectl.wait_condition("Ready", "True", "first")
    kubectl.apply(behind(rabbitmq.name, "second", "x", intake="first_tasks"))
    assert kubectl.wait_condition("IntakeReady", "False", "second")["reason"] == "IntakeTaken"
    kubectl.wait_condition("Ready", "True", "first")
    # It gets one of its own, which no third pool can take for its work queue then.
    kubectl.apply(behind(rabbitmq.name, "second", "x"))
    kubectl.wait_condition("IntakeReady", "True", "second")
    kubectl.apply(pool_manifest(rabbitmq.name, name="third", queue={"name": INTAKE}))
    told = kubectl.wait_condition("Accepted", "False", "third")
    assert told["reason"] == "QueueTaken"
    assert f"is the intake of pool {kubectl.namespace}/second" in told["message"]
    assert kubectl.wait_condition("IntakeReady", "True", "second")


def test_an_operator_without_a_gateway_says_that_nobody_routes(
    kubectl: Kubectl, rabbitmq: Vhost, stopped_operator: OperatorProcess
) -> None:
    stopped_operator.environment["GENPOOL_GATEWAY_SECRET"] = ""
    stopped_operator.start()
    kubectl.apply(behind(rabbitmq.name, "people", "people"))
    told = kubectl.wait_condition("IntakeReady", "False", "people")
    assert told["reason"] == "NoGateway"
    kubectl.wait_condition("Ready", "True", "people")
    policy = rabbitmq.api("GET", f"policies/{rabbitmq.name}/{names.work_policy('people_tasks')}")
    assert policy["definition"]["dead-letter-routing-key"] == "people_tasks.dead"


@pytest.mark.parametrize(
    ("queue", "says"),
    [
        ({"intake": "people_tasks"}, "the intake would be the pool's own queue"),
        ({"intake": "people_tasks.dead"}, "the intake would be the pool's own queue"),
        ({"name": "photos.dead", "intake": "photos"}, "the intake would be the pool's own queue"),
        ({"intake": "genpool.janitor"}, "reserved"),
        ({"intake": "任" * 100}, "more than 255 bytes"),
        ({"maxWaiting": 0}, "maxWaiting"),
    ],
)
def test_what_kubernetes_itself_refuses(kubectl: Kubectl, queue: Json, says: str) -> None:
    assert says in kubectl.apply(behind("x", "people", "people", **queue), fails=True)
