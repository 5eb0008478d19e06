from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import Lasts, TaskStoreError
from genpool_core.messages import headers as h
from genpool_core.messages.amqp import OutgoingMessage
from genpool_gateway.callbacks.compose import Composer
from genpool_gateway.callbacks.dispatcher import Dispatcher, Tried
from genpool_gateway.callbacks.disposition import Answered, Away, Forbidden, Outcome, delays
from genpool_gateway.pools.links import Links
from genpool_gateway.tasks.record import Submission
from support.waiting import wait_until
from unit.gateway.fakes import FakeMetrics, FakeQueue, FakeReader, FakeReceiver
from unit.gateway.link_fakes import FakeBuckets, FakePlaces, FakePools
from unit.gateway.messages import OWN, PHOTOS, WORKER, delivery, message, with_end
from unit.gateway.samples import record

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class World:
    queue: FakeQueue = field(default_factory=FakeQueue)
    receiver: FakeReceiver = field(default_factory=FakeReceiver)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    reader: FakeReader = field(default_factory=FakeReader)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def composer(self) -> Composer:
        return Composer(self.reader, Links(FakeBuckets(), FakePools(), FakePlaces(), lambda: NOW))

    def dispatcher(self) -> Dispatcher:
        made = Dispatcher(
            self.queue, self.receiver, self.metrics, self.composer, now=lambda: NOW, stopping=self.stopping
        )
        made._backoff = Backoff(first=0.0, cap=0.0)
        return made


@pytest.fixture
def world() -> World:
    return World()


def test_a_delivered_callback_is_acknowledged(world: World) -> None:
    world.dispatcher().handle(delivery())
    assert world.queue.done == ["ack"]
    assert [post.id for post in world.receiver.requests] == [message()["id"]]
    assert world.metrics.counts == {"delivered": 1}


def test_a_failed_one_waits_and_is_acknowledged_last(world: World) -> None:
    world.receiver.outcome = Answered(503)
    world.dispatcher().handle(delivery(headers={h.ATTEMPT: 1}, user_id=OWN))
    assert world.queue.done == ["publish", "ack"]
    sent = world.queue.published[0]
    assert (sent.exchange, sent.routing_key) == ("genpool.retry.30s", "genpool.callbacks")
    assert sent.body == delivery().body
    assert sent.headers[h.ATTEMPT] == 2
    assert sent.properties.message_id == message()["id"]
    assert world.metrics.counts == {"retried": 1}


def test_the_last_failure_goes_to_the_dead_letter_queue(world: World) -> None:
    world.receiver.outcome = Away("it refused the connection.")
    world.dispatcher().handle(delivery(headers={h.ATTEMPT: len(delays())}, user_id=OWN))
    sent = world.queue.published[0]
    assert (sent.exchange, sent.routing_key) == ("", "genpool.callbacks.dead")
    assert sent.body == delivery().body
    assert sent.headers[h.REASON] == "ReceiverAway"
    assert sent.headers[h.TASK_KEY] == "ab" * 20
    assert world.queue.done == ["publish", "ack"]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(Answered(404), "ReceiverRefused"), (Forbidden("AddressNotAllowed", "no."), "AddressNotAllowed")],
)
def test_a_refusal_is_dead_at_once(world: World, outcome: Answered | Forbidden, reason: str) -> None:
    world.receiver.outcome = outcome
    world.dispatcher().handle(delivery())
    assert world.queue.published[0].headers[h.REASON] == reason
    assert world.metrics.counts == {reason: 1}


@pytest.mark.parametrize(
    ("body", "user", "reason"),
    [(b"no", WORKER, "InvalidMessage"), (None, "producer", "UntrustedSender")],
)
def test_what_must_not_be_believed_is_dead_and_sent_nowhere(
    world: World, body: bytes | None, user: str, reason: str
) -> None:
    world.dispatcher().handle(delivery(body, user_id=user))
    assert world.receiver.requests == []
    assert world.queue.published[0].headers[h.REASON] == reason
    assert world.queue.done == ["publish", "ack"]


def test_a_defect_ends_in_the_dead_letter_queue(world: World) -> None:
    world.receiver.outcome = RuntimeError("a defect")
    world.dispatcher().handle(delivery())
    assert world.queue.published[0].headers[h.REASON] == "InternalError"
    assert world.queue.done == ["publish", "ack"]


def test_a_refused_publish_is_repeated_without_asking_the_receiver_again(world: World) -> None:
    world.receiver.outcome = Answered(500)
    world.queue.refusals = 3
    world.dispatcher().handle(delivery())
    assert world.queue.done == ["refused", "refused", "refused", "publish", "ack"]
    assert len(world.receiver.requests) == 1


def test_a_delivery_that_is_lost_is_left_to_its_next_one(world: World) -> None:
    world.receiver.outcome = Answered(500)
    world.queue.refusals, world.queue.lost_when_refused = 5, True
    world.dispatcher().handle(delivery())
    assert world.queue.done == ["refused"]


def test_nothing_is_begun_while_stopping(world: World) -> None:
    world.stopping.set()
    world.dispatcher().handle(delivery())
    assert world.queue.done == []
    assert world.receiver.requests == []


def test_a_stop_leaves_a_callback_that_cannot_be_published(world: World) -> None:
    world.receiver.outcome = Answered(500)
    world.queue.refusals = 100
    dispatcher = world.dispatcher()
    dispatcher._backoff = Backoff(first=60, cap=60)
    thread = threading.Thread(target=dispatcher.handle, args=(delivery(),))
    thread.start()
    wait_until(lambda: world.queue.done, bool, "the first publish", seconds=5, pause=0.01)
    world.stopping.set()
    thread.join(5)
    assert not thread.is_alive()
    assert world.queue.done == ["refused"]


def test_what_is_not_ours_any_more_is_not_tried(world: World) -> None:
    world.queue.held = False
    world.dispatcher().handle(delivery())
    world.dispatcher().set_aside(delivery())
    assert world.queue.done == []
    assert world.receiver.requests == []


def test_a_callback_that_is_set_aside_is_counted_apart_and_keeps_its_time(world: World) -> None:
    world.dispatcher().set_aside(delivery(headers={h.ATTEMPT: 2}, user_id=OWN))
    sent = world.queue.published[0]
    assert sent.exchange == "genpool.retry.30s"
    first = int(NOW.timestamp())
    assert {key: sent.headers[key] for key in (h.ATTEMPT, h.ASIDE, h.SINCE)} == {
        h.ATTEMPT: 2,
        h.ASIDE: 1,
        h.SINCE: first,
    }
    world.dispatcher().set_aside(
        delivery(headers={**sent.headers, h.SINCE: first - 7200, h.ASIDE: 3}, user_id=OWN)
    )
    sent = world.queue.published[1]
    assert (sent.exchange, sent.headers[h.ASIDE], sent.headers[h.SINCE]) == (
        "genpool.retry.1h",
        4,
        first - 7200,
    )
    assert world.receiver.requests == []
    assert world.metrics.counts == {"stepped_aside": 2}
    assert world.queue.done == ["publish", "ack"] * 2


def test_a_day_after_it_was_first_put_off_a_callback_is_given_up(world: World) -> None:
    day_ago = int(NOW.timestamp()) - timing.CALLBACK_GIVE_UP_SECONDS
    world.receiver.outcome = Answered(503)
    world.dispatcher().set_aside(delivery(headers={h.SINCE: day_ago, h.ASIDE: 20}, user_id=OWN))
    world.dispatcher().handle(delivery(headers={h.SINCE: day_ago, h.ATTEMPT: 1}, user_id=OWN))
    reasons = [(sent.routing_key, sent.headers[h.REASON]) for sent in world.queue.published]
    assert reasons == [
        ("genpool.callbacks.dead", "ReceiverAway"),
        ("genpool.callbacks.dead", "ReceiverFailed"),
    ]


@pytest.mark.parametrize(
    ("outcome", "seconds", "tried"),
    [
        (Answered(204), 1, Tried(good=True, slow=False)),
        (Answered(404), 1, Tried(good=True, slow=False)),
        (Answered(204), 5, Tried(good=True, slow=True)),
        (Answered(503), 1, Tried(good=False, slow=False)),
        (Answered(429), 1, Tried(good=False, slow=False)),
        (Away("it did not answer in time."), 10, Tried(good=False, slow=True)),
        (Forbidden("AddressNotAllowed", "no."), 1, Tried(good=False, slow=False)),
    ],
)
def test_how_a_receiver_did(world: World, outcome: Outcome, seconds: int, tried: Tried) -> None:
    world.receiver.outcome = outcome
    dispatcher = world.dispatcher()
    ticks = iter((0.0, float(seconds)))
    dispatcher._clock = lambda: next(ticks)
    assert dispatcher.handle(delivery()) == tried


def test_what_the_broker_never_accepts_is_left_to_its_own_dead_lettering(world: World) -> None:
    world.receiver.outcome = Answered(500)
    world.queue.refusals, world.queue.lasts = 1, Lasts.NEVER
    world.dispatcher().handle(delivery())
    assert world.queue.done == ["refused", "reject"]


def test_a_delivery_whose_dead_letter_meets_a_defect_is_left_to_the_broker(world: World) -> None:
    def broken(_message: OutgoingMessage) -> None:
        raise AttributeError("a defect")

    world.queue.publish = broken  # type: ignore[method-assign]
    world.dispatcher().handle(delivery(b"no"))
    assert world.queue.done == ["reject"]


def test_while_the_task_store_is_away_a_callback_waits_and_the_receiver_is_not_to_blame(world: World) -> None:
    world.reader.fault = TaskStoreError("the database does not answer.")
    tried = world.dispatcher().handle(delivery(json.dumps(with_end()).encode()))
    assert tried == Tried()
    assert world.queue.done == ["publish", "ack"]
    assert world.queue.published[0].exchange == "genpool.retry.5s"
    assert world.queue.published[0].headers.get(h.ATTEMPT, 0) == 0
    assert world.receiver.requests == []


def test_what_was_not_asked_for_is_not_sent(world: World) -> None:
    submission = Submission(owner="key-1", body=b"{}", callback_events=("start",))
    world.reader.records = [record("ab" * 20, pool=PHOTOS, submission=submission)]
    world.dispatcher().handle(delivery(json.dumps(with_end()).encode()))
    assert (world.queue.done, world.receiver.requests) == (["ack"], [])
