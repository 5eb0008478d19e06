from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from genpool_adapters.amqp import AmqpConnection
from genpool_core import names
from genpool_core.messages import headers as h
from genpool_core.messages.amqp import OutgoingMessage, Properties
from integration.broker import Vhost, until
from integration.gateway.conftest import GatewayProcess, Receiver, gateway_login, key_of
from support import amqp_wire as wire
from unit.gateway.messages import message

Ask = Callable[..., str]
#: ``make soak-outages`` takes more of them, and compares them however short they are.
SAMPLES = int(os.environ.get("GENPOOL_BESIDE_SAMPLES", "20"))
ROUNDS, _NOISE_SECONDS = (1, 0.5) if SAMPLES < 100 else (5, 0.0)


@pytest.fixture
def ask(rabbitmq: Vhost, receiver: Receiver) -> Iterator[Ask]:
    """Publish a callback as a worker does; its webhook-id."""
    user = names.worker_user(rabbitmq.name, "0a1b2c3d")
    rabbitmq.add_user(user, "worker-pass")
    connection = AmqpConnection(rabbitmq.settings("worker", username=user, password="worker-pass"))
    connection.start()

    def publish(answers: str, to: Receiver | None = None, **changes: Any) -> str:  # noqa: ANN401 - JSON
        webhook_id = str(uuid.uuid4())
        target = to or receiver
        body = message(**{"id": webhook_id, "url": target.url(answers), "allow": target.allow, **changes})
        if "body" not in changes:
            body["body"]["pool"]["uid"] = rabbitmq.name
        raw = json.dumps(body).encode()
        properties = Properties(message_id=webhook_id)
        connection.publish(
            OutgoingMessage(names.CALLBACKS_EXCHANGE, names.CALLBACKS_QUEUE, raw, properties=properties)
        )
        return webhook_id

    yield publish
    connection.stop()


def _dead(vhost: Vhost) -> tuple[dict[str, Any], bytes]:
    taken = until(lambda: vhost.get(names.CALLBACKS_DEAD_QUEUE), "a dead callback", 30)
    return taken[0].headers, taken[1]


def test_a_callback_arrives_signed_and_once(gateway: GatewayProcess, receiver: Receiver, ask: Ask) -> None:
    webhook_id = ask("200")
    (request,) = until(lambda: receiver.seen(webhook_id), "the callback")
    Webhook(gateway.key.callback_secret(gateway.vhost.name)).verify(request["body"], request["headers"])
    assert json.loads(request["body"])["workflow"] == "DDColor人物黑白修复.json"
    assert request["headers"]["Content-Type"] == "application/json"
    until(lambda: b"delivered_total" in gateway.get("/metrics").content, "its metric")
    until(lambda: gateway.vhost.ready(names.CALLBACKS_QUEUE) == 0, "an empty queue")
    assert len(receiver.seen(webhook_id)) == 1
    assert "s3cr3t" not in gateway.log


def test_a_receiver_that_is_away_gets_it_later_under_the_same_id(
    gateway: GatewayProcess, receiver: Receiver, ask: Ask
) -> None:
    webhook_id = ask("503,429,408,200")
    until(lambda: len(receiver.seen(webhook_id)) == 4, "the fourth attempt", 40)
    requests = receiver.seen(webhook_id)
    assert len({request["body"] for request in requests}) == 1
    assert requests[-1]["at"] - requests[0]["at"] >= 0.6
    retried = [line for line in gateway.events() if line["event"] == "callback_retried"]
    assert [(line["attempts"], line["delay_seconds"]) for line in retried] == [(1, 5), (2, 30), (3, 120)]


@pytest.mark.parametrize(
    ("answers", "reason"), [("410", "ReceiverGone"), ("404", "ReceiverRefused"), ("302", "ReceiverRedirects")]
)
def test_a_receiver_that_refuses_is_asked_once(
    gateway: GatewayProcess, receiver: Receiver, ask: Ask, answers: str, reason: str
) -> None:
    webhook_id = ask(answers)
    headers, body = _dead(gateway.vhost)
    assert (headers[h.REASON], headers[h.ATTEMPTS]) == (reason, 1)
    assert headers[h.TASK_KEY] == "ab" * 20
    assert json.loads(body)["id"] == webhook_id
    assert len(receiver.seen(webhook_id)) == 1


def test_a_forbidden_address_is_never_asked(gateway: GatewayProcess, receiver: Receiver, ask: Ask) -> None:
    webhook_id = ask("200", allow=[{"host": "localhost", "ports": [receiver.port]}])
    headers, _ = _dead(gateway.vhost)
    assert headers[h.REASON] == "AddressNotAllowed"
    assert "s3cr3t" not in headers[h.MESSAGE]
    assert receiver.seen(webhook_id) == []


def test_a_producer_cannot_make_us_ask(gateway: GatewayProcess, receiver: Receiver) -> None:
    body = message(url=receiver.url("200"), allow=receiver.allow)
    with gateway.vhost.raw() as connection:
        connection.channel().basic_publish("", names.CALLBACKS_QUEUE, json.dumps(body).encode())
    headers, _ = _dead(gateway.vhost)
    assert headers[h.REASON] == "UntrustedSender"
    assert receiver.seen(body["id"]) == []


def test_a_worker_cannot_speak_for_another_pool(
    gateway: GatewayProcess, receiver: Receiver, ask: Ask
) -> None:
    body = message()["body"]
    body["pool"]["uid"] = "another-pool"
    webhook_id = ask("200", body=body)
    headers, _ = _dead(gateway.vhost)
    assert headers[h.REASON] == "UntrustedSender"
    assert receiver.seen(webhook_id) == []


def test_a_receiver_that_hangs_costs_the_others_nothing_and_the_broker_little(
    gateway: GatewayProcess, other_receiver: Receiver, ask: Ask
) -> None:
    """300 callbacks that take 10 s each: they wait in the gateway, and are not published again and again."""

    def p95() -> float:
        """The median of some rounds: other programs of the machine have their moments."""
        rounds = []
        for _ in range(ROUNDS):
            # Whoever looks into a longer log takes more of the processor from the gateway.
            other_receiver.log.unlink(missing_ok=True)
            waits = []
            for _ in range(SAMPLES):
                asked_at = time.time()
                webhook_id = ask("200", to=other_receiver)
                (request,) = until(lambda: other_receiver.seen(webhook_id), "the other callback", 20)  # noqa: B023 - at once
                waits.append(request["at"] - asked_at)
            rounds.append(sorted(waits)[SAMPLES * 95 // 100 - 1])
        print("p95 of each round in ms:", *(round(1000 * one) for one in rounds))  # noqa: T201 - the soak's report
        return sorted(rounds)[ROUNDS // 2]

    without = p95()
    for _ in range(300):
        ask("hang")
    began = time.monotonic()
    beside = p95()
    print(  # noqa: T201 - the soak's report
        f"p95 of {ROUNDS} x {SAMPLES} callbacks beside a receiver that hangs: {beside * 1000:.0f} ms, "
        f"{beside / without:.2f} times the {without * 1000:.0f} ms without it"
    )
    assert beside <= max(1.5 * without, _NOISE_SECONDS)
    until(lambda: _counted(gateway, "callbacks_retried") >= 2, "attempts at the one that hangs end", 40)
    republished = _counted(gateway, "callbacks_retried") + _counted(gateway, "callbacks_stepped_aside")
    assert republished < 20 * (time.monotonic() - began)
    assert republished <= 20


def _counted(gateway: GatewayProcess, name: str) -> float:
    """The value of a counter, over all vhosts."""
    lines = gateway.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f"genpool_{name}_total{{"))


def test_a_stop_in_the_middle_loses_nothing(gateway: GatewayProcess, receiver: Receiver, ask: Ask) -> None:
    hanging = ask("hang,200")
    until(lambda: receiver.seen(hanging), "an attempt in flight")
    later = ask("200")
    until(lambda: receiver.seen(later), "another attempt")
    began = time.monotonic()
    assert gateway.stop() == 0, gateway.log
    assert time.monotonic() - began < 20
    gateway.start()
    until(lambda: len(receiver.seen(hanging)) == 2, "the second attempt", 30)
    assert gateway.vhost.get(names.CALLBACKS_DEAD_QUEUE) is None


def test_a_killed_gateway_loses_nothing(gateway: GatewayProcess, receiver: Receiver, ask: Ask) -> None:
    hanging = ask("hang,200")
    until(lambda: receiver.seen(hanging), "an attempt in flight")
    gateway.kill()
    gateway.start()
    until(lambda: len(receiver.seen(hanging)) == 2, "the second attempt", 30)


def test_it_waits_for_a_queue_that_the_operator_makes_later(
    gateway_process: GatewayProcess, request: pytest.FixtureRequest
) -> None:
    gateway_process.start()
    gateway_process.until_ready()
    receiver, ask = request.getfixturevalue("receiver"), request.getfixturevalue("ask")
    request.getfixturevalue("vhost")
    webhook_id = ask("200")
    until(lambda: receiver.seen(webhook_id), "the callback", 30)
    assert gateway_process.get("/healthz").status_code == 200
    waits = [line["queue"] for line in gateway_process.events() if line["event"] == "amqp_consumer_waits"]
    assert waits.count(names.CALLBACKS_QUEUE) == 1, "said once"


def test_a_lost_broker_connection_is_told_and_mended(
    gateway: GatewayProcess, receiver: Receiver, ask: Ask
) -> None:
    gateway.vhost.cut("genpool-gateway-consume")
    until(lambda: "amqp_disconnected" in gateway.log, "the loss")
    webhook_id = ask("200")
    until(lambda: receiver.seen(webhook_id), "the callback", 30)
    gateway.until_ready()


def test_a_new_login_counts_without_a_restart(gateway: GatewayProcess, receiver: Receiver, ask: Ask) -> None:
    """As the operator does it: a user of another key beside the old one, then its login, then no old user."""
    waiting = ask("503,200")
    # Told when the retry is published: before that, the broker would give the message out again.
    until(lambda: "callback_retried" in gateway.log, "its first attempt")
    # It comes behind the first one's acknowledgement, which must not be lost with the old user's connection.
    behind = ask("200")
    until(lambda: receiver.seen(behind), "a callback by the old user")
    gateway.write_login(gateway_login(gateway.vhost, key_of(gateway.vhost, "second")))
    gateway.vhost.api("DELETE", f"users/{names.gateway_user(gateway.key.id)}")
    webhook_id = ask("200")
    until(lambda: receiver.seen(webhook_id), "a callback by the new user", 40)
    until(lambda: len(receiver.seen(waiting)) == 2, "the retry that the old user had published", 40)
    assert gateway.vhost.get(names.CALLBACKS_DEAD_QUEUE) is None
    assert gateway.get("/healthz").status_code == 200


def test_a_login_that_is_missing_is_waited_for(
    gateway_process: GatewayProcess, vhost: Vhost, receiver: Receiver, ask: Ask
) -> None:
    gateway_process.write_files()
    (gateway_process.folder / names.login_keys("default")[1]).unlink()
    gateway_process.spawn()
    gateway_process.wait_started()
    until(lambda: "the gateway's login on broker default" in gateway_process.get("/readyz").text, "why")
    assert gateway_process.get("/healthz").status_code == 200
    gateway_process.write_login(gateway_login(vhost, gateway_process.key))
    webhook_id = ask("200")
    until(lambda: receiver.seen(webhook_id), "the callback", 30)
    assert vhost.ready(names.CALLBACKS_QUEUE) == 0


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [(names.SIGNING_KEYS, "nonsense", "line 1 of"), ("brokers.yaml", "brokers: []", "brokers file")],
)
def test_a_wrong_file_ends_it_with_one_sentence(
    gateway_process: GatewayProcess, file: str, text: str, said: str
) -> None:
    gateway_process.write_files()
    (gateway_process.folder / file).write_text(text, encoding="utf-8")
    gateway_process.spawn()
    assert gateway_process.process is not None
    assert gateway_process.process.wait(20) == 2
    (refusal,) = gateway_process.events()
    assert refusal["event"] == "gateway_refuses"
    assert said in refusal["message"]


def test_what_pika_cannot_read_does_not_stop_callbacks(
    gateway: GatewayProcess, receiver: Receiver, ask: Ask
) -> None:
    """From a stranger, who can write to any queue through the default exchange."""
    odd = wire.properties((b"at", wire.timestamp(1_795_000_000_000)), message_id=b"\xfe" * 16)
    with gateway.vhost.raw() as connection:
        connection.channel().basic_publish("", names.CALLBACKS_QUEUE, b"{}", wire.RawProperties(odd))
    webhook_id = ask("200")
    until(lambda: receiver.seen(webhook_id), "the callback behind it")
    headers, body = _dead(gateway.vhost)
    assert (headers[h.REASON], body) == ("UntrustedSender", b"{}")
    assert not [line for line in gateway.events() if line["event"] == "amqp_disconnected"]
