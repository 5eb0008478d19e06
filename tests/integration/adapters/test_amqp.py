from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from genpool_adapters.amqp import AmqpConnection, QueueCount
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, SettingsError
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from integration.broker import Vhost, until

Connect = Callable[..., AmqpConnection]
FAST = Backoff(first=0.05, cap=0.2)


@pytest.fixture
def connect(rabbitmq: Vhost) -> Iterator[Connect]:
    made: list[AmqpConnection] = []

    def make(name: str = "test", **changes: object) -> AmqpConnection:
        connection = AmqpConnection(rabbitmq.settings(name, **changes), backoff=FAST)
        made.append(connection)
        connection.start()
        assert connection.wait_connected(10), connection.last_sentence
        assert f"amqp-{name}" in {thread.name for thread in threading.enumerate()}
        return connection

    yield make
    for connection in made:
        connection.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("amqp-")]


def test_a_published_message_is_persistent_and_carries_its_sender(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connect().publish(
        OutgoingMessage("", "work", b"{}", {"x": 1}, Properties(message_id="m1", type="t", priority=3))
    )
    taken = rabbitmq.get("work")
    assert taken is not None
    properties, body = taken
    assert body == b"{}"
    assert properties.delivery_mode == 2
    assert properties.user_id == rabbitmq.server.username
    assert (properties.message_id, properties.type, properties.priority) == ("m1", "t", 3)
    assert properties.headers == {"x": 1}
    assert properties.expiration is None


@pytest.mark.parametrize(
    ("exchange", "key", "reason"), [("", "missing", "Unroutable"), ("missing", "work", "PublishRefused")]
)
def test_a_message_that_nobody_takes_is_an_error_and_the_next_one_works(
    rabbitmq: Vhost, connect: Connect, exchange: str, key: str, reason: str
) -> None:
    rabbitmq.queue("work")
    connection = connect()
    with pytest.raises(BrokerError) as caught:
        connection.publish(OutgoingMessage(exchange, key, b"1"))
    assert caught.value.reason == reason
    connection.publish(OutgoingMessage("", "work", b"2"))
    assert rabbitmq.ready("work") == 1


def test_an_unroutable_message_among_many_fails_alone(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work", **{"x-queue-type": "quorum"})
    connection = connect()
    failed: dict[int, str] = {}

    def publish(number: int) -> None:
        try:
            connection.publish(
                OutgoingMessage("", "missing" if number % 5 == 0 else "work", str(number).encode())
            )
        except BrokerError as error:
            failed[number] = error.reason

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == dict.fromkeys(range(0, 50, 5), "Unroutable")
    until(lambda: rabbitmq.ready("work") == 40, "40 messages")


def test_a_full_queue_refuses(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("small")
    rabbitmq.policy("small", "^small$", {"max-length": 1, "overflow": "reject-publish"})
    connection = connect()

    def refused() -> str:
        try:
            connection.publish(OutgoingMessage("", "small", b"x"))
        except BrokerError as error:
            return error.reason
        return ""

    assert until(refused, "a refusal, once the policy is in force") == "PublishRefused"


def test_consume_holds_prefetch_and_acknowledges(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection, got = connect(), queue.Queue[Delivery]()
    connection.consume("work", got.put, prefetch=1)
    for number in range(2):
        connection.publish(OutgoingMessage("", "work", str(number).encode()))
    first = got.get(timeout=10)
    assert (first.body, first.redelivered, first.routing_key) == (b"0", False, "work")
    assert first.properties.user_id == rabbitmq.server.username
    with pytest.raises(queue.Empty):
        got.get(timeout=0.3)
    assert connection.ack(first)
    assert not connection.ack(first), "answered already"
    second = got.get(timeout=10)
    assert connection.nack(second, requeue=True)
    again = got.get(timeout=10)
    assert (again.body, again.redelivered) == (b"1", True)
    assert connection.ack(again)


def test_cancel_keeps_what_was_delivered_and_resume_goes_on(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection, got = connect(), queue.Queue[Delivery]()
    connection.consume("work", got.put, prefetch=1)
    connection.publish(OutgoingMessage("", "work", b"held"))
    held = got.get(timeout=10)
    connection.cancel()
    assert not connection.consuming
    connection.publish(OutgoingMessage("", "work", b"later"))
    assert connection.ack(held), "its channel stays open"
    with pytest.raises(queue.Empty):
        got.get(timeout=0.3)
    connection.resume()
    assert got.get(timeout=10).body == b"later"


def test_cancel_and_resume_at_any_moment_leave_one_consumer(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection, got = connect("cut-me"), queue.Queue[Delivery]()
    connection.consume("work", got.put, prefetch=1)
    for _ in range(20):
        connection.cancel()
        connection.resume()
    rabbitmq.cut("cut-me")
    for _ in range(200):
        connection.cancel()
        connection.resume()
    until(lambda: connection.consuming, "the consumer")
    until(lambda: connection.passive_declare("work") == QueueCount(0, 1), "one consumer")
    for number in range(3):
        connection.publish(OutgoingMessage("", "work", str(number).encode()))
        assert connection.ack(got.get(timeout=10))


def test_a_listener_with_a_defect_does_not_cost_the_connection(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection, got = connect(), queue.Queue[Delivery]()

    def listen(delivery: Delivery) -> None:
        got.put(delivery)
        if delivery.body == b"bad":
            raise RuntimeError("a defect")

    connection.consume("work", listen, prefetch=2)
    connection.publish(OutgoingMessage("", "work", b"bad"))
    connection.publish(OutgoingMessage("", "work", b"good"))
    bad, good = got.get(timeout=10), got.get(timeout=10)
    assert connection.connected
    assert connection.ack(good)
    assert connection.ack(bad)


def test_a_lost_connection_comes_back_with_its_consumers(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    rabbitmq.exchange("events", "topic")
    connection, other = connect("cut-me"), connect("other")
    got, events = queue.Queue[Delivery](), queue.Queue[Delivery]()
    connection.consume("work", got.put)
    connection.declare_exclusive(bindings=[("events", "a.#"), ("events", "b")], on_message=events.put)
    until(lambda: connection.consuming, "both consumers")
    other.publish(OutgoingMessage("", "work", b"1"))
    held = got.get(timeout=10)
    rabbitmq.cut("cut-me")
    again = got.get(timeout=20)
    assert (again.body, again.redelivered) == (b"1", True)
    assert not connection.ack(held), "the broker has requeued it"
    assert connection.ack(again)
    until(lambda: connection.consuming, "both consumers again")
    other.publish(OutgoingMessage("events", "a.x", b"event"))
    assert events.get(timeout=10).body == b"event"
    connection.publish(OutgoingMessage("", "work", b"2"))
    assert got.get(timeout=10).body == b"2"


def test_publish_waits_for_a_connection_that_is_just_lost(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection = connect("cut-me")
    rabbitmq.cut("cut-me")
    until(lambda: not connection.connected or rabbitmq.connections("cut-me") == [], "the loss")

    def published() -> bool:
        """The one publish that is cut in the middle may fail: it is not known whether it arrived."""
        try:
            connection.publish(OutgoingMessage("", "work", b"x"), timeout=10)
        except BrokerError as error:
            return error.reason != "BrokerUnreachable"
        return True

    assert until(published, "a publish over the new connection")
    assert rabbitmq.ready("work") >= 1


def test_a_consumer_waits_for_its_queue_and_survives_its_deletion(rabbitmq: Vhost, connect: Connect) -> None:
    connection, got = connect(), queue.Queue[Delivery]()
    connection.consume("late", got.put)
    assert connection.connected
    assert not connection.consuming
    rabbitmq.queue("late")
    until(lambda: connection.consuming, "the consumer of a queue that came late")
    rabbitmq.delete_queue("late")
    until(lambda: not connection.consuming, "the broker's cancel")
    rabbitmq.queue("late")
    until(lambda: connection.consuming, "the consumer of the new queue")
    connection.publish(OutgoingMessage("", "late", b"x"))
    assert got.get(timeout=10).body == b"x"


def test_passive_declare_counts_and_tells_a_missing_queue(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection = connect()
    connection.publish(OutgoingMessage("", "work", b"x"))
    assert connection.passive_declare("work") == QueueCount(ready=1, consumers=0)
    assert connection.passive_declare("missing") is None
    assert connection.passive_declare("work") == QueueCount(ready=1, consumers=0)


def test_passive_declare_from_many_threads(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection = connect()
    answers: list[QueueCount | None] = []
    names = ["work", "missing"] * 20
    threads = [
        threading.Thread(target=lambda name=name: answers.append(connection.passive_declare(name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers.count(None) == 20
    assert answers.count(QueueCount(0, 0)) == 20


def test_a_refusal_is_an_error_and_not_a_missing_queue(rabbitmq: Vhost, connect: Connect) -> None:
    with rabbitmq.raw() as other:
        other.channel().queue_declare("locked", exclusive=True)
        with pytest.raises(BrokerError, match="405") as caught:
            connect().passive_declare("locked")
    assert caught.value.reason == "BrokerRefused"


def test_heartbeats_are_answered_while_the_program_is_busy(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection, got = connect("busy", heartbeat_seconds=1), queue.Queue[Delivery]()
    changes: list[bool] = []
    connection._io._on_change = lambda connected, _sentence: changes.append(connected)
    connection.consume("work", got.put)
    connection.publish(OutgoingMessage("", "work", b"long"))
    held = got.get(timeout=10)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:  # five heartbeats of a thread that never lets go by itself
        sum(range(10_000))
    assert connection.ack(held)
    assert False not in changes


def test_stop_hands_back_what_is_not_acknowledged(rabbitmq: Vhost, connect: Connect) -> None:
    rabbitmq.queue("work")
    connection, got = connect(), queue.Queue[Delivery]()
    connection.consume("work", got.put, prefetch=5)
    for number in range(3):
        connection.publish(OutgoingMessage("", "work", str(number).encode()))
    held = [got.get(timeout=10) for _ in range(3)]
    assert connection.ack(held[0])
    connection.stop()
    assert not connection.ack(held[1])
    assert rabbitmq.ready("work") == 2
    with pytest.raises(BrokerError):
        connection.publish(OutgoingMessage("", "work", b"x"), timeout=1)
    with pytest.raises(BrokerError):
        connection.passive_declare("work")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wr0ng-pass"}, "refused user"),
        ({"vhost": "no-such-vhost"}, "there is no such vhost"),
        ({"port": 1}, "does not answer"),
    ],
)
def test_why_there_is_no_connection_is_said_without_the_password(
    rabbitmq: Vhost, changes: dict[str, object], said: str
) -> None:
    heard: queue.Queue[tuple[bool, str]] = queue.Queue()
    user = f"{rabbitmq.name}-user"
    rabbitmq.add_user(user, "r1ght-pass")
    settings = rabbitmq.settings("wrong", **{"username": user, "password": "r1ght-pass", **changes})
    connection = AmqpConnection(
        settings, on_change=lambda ok, text: heard.put((ok, text)), backoff=Backoff(first=30, cap=30)
    )
    connection.start()
    try:
        connected, sentence = heard.get(timeout=15)
        assert not connected
        assert said in sentence
        assert settings.password not in f"{sentence} {settings!r} {connection!r}"
        with pytest.raises(BrokerError) as caught:
            connection.publish(OutgoingMessage("", "work", b"x"), timeout=0.1)
        assert caught.value.reason == "BrokerUnreachable"
    finally:
        began = time.monotonic()
        connection.stop()
    assert time.monotonic() - began < 2, "a wait of half a minute must not delay the stop"


def test_a_rotated_login_counts_from_the_next_connection(rabbitmq: Vhost, connect: Connect) -> None:
    """Another user with it: the broker compares each message's ``user_id`` with the connection's user."""
    names = [f"{rabbitmq.name}-{number}" for number in (1, 2)]
    for name in names:
        rabbitmq.add_user(name, f"password of {name}")
    now = [names[0]]
    rabbitmq.queue("work")
    connection = connect(login=lambda: (now[0], f"password of {now[0]}"))
    connection.publish(OutgoingMessage("", "work", b"1"))
    now[0] = names[1]
    rabbitmq.cut("test")
    until(lambda: not connection.connected or connection.settings.username == names[1], "the cut is noticed")
    connection.publish(OutgoingMessage("", "work", b"2"), timeout=10)
    senders = [taken[0].user_id for _ in range(2) if (taken := rabbitmq.get("work")) is not None]
    assert senders == names


def test_a_login_that_cannot_be_read_is_told_and_tried_again(rabbitmq: Vhost) -> None:
    missing = [True]

    def login() -> tuple[str, str]:
        if missing[0]:
            raise SettingsError("the file is not there yet.")
        return rabbitmq.server.username, rabbitmq.server.password

    connection = AmqpConnection(rabbitmq.settings(login=login), backoff=FAST)
    connection.start()
    try:
        until(lambda: connection.last_sentence == "the file is not there yet.", "the reason is told")
        missing[0] = False
        assert connection.wait_connected(10), connection.last_sentence
    finally:
        connection.stop()
