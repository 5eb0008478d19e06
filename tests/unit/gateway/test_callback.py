from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from genpool_core.errors import InvalidMessage
from genpool_core.messages import headers as h
from genpool_core.names import gateway_user, worker_user
from genpool_gateway.callbacks.callback import dead_headers, read, receiver_of, retry_headers
from genpool_gateway.callbacks.disposition import DeadLetter
from unit.gateway.messages import OWN, URL, WORKER, delivery, message


def test_a_workers_message_is_read() -> None:
    callback = read(delivery())
    assert callback.request.id == message()["id"]
    assert callback.request.url == URL
    assert callback.request.receiver == "receiver.example:443"
    assert [rule.host for rule in callback.request.allow] == ["receiver.example"]
    assert callback.failed_before == 0
    assert callback.task_key == "ab" * 20


def test_the_body_is_passed_on_as_it_is_in_utf8() -> None:
    changed = message()
    changed["body"]["later_field"] = {"a": [1, None]}
    body = read(delivery(json.dumps(changed).encode())).request.body
    assert json.loads(body) == changed["body"]
    assert "DDColor人物黑白修复.json".encode() in body


@pytest.mark.parametrize("user_id", [WORKER, worker_user("2b7f", "99999999"), OWN, gateway_user("99999999")])
def test_the_pools_own_workers_and_the_gateway_are_believed_with_any_key(user_id: str) -> None:
    assert read(delivery(user_id=user_id)).request.url == URL


@pytest.mark.parametrize(
    ("user_id", "said"),
    [
        (None, "from a sender without a name:"),
        ("", "from a sender without a name:"),
        ("producer", "from user producer:"),
        ("genpool", "from user genpool:"),
        ("genpool.operator", "from user genpool.operator:"),
        ("genpoolx", "from user genpoolx:"),
        ("Admin", "from user Admin:"),
        ("genpool.worker.", "from user genpool.worker.:"),
        ("genpool.worker.2b7f", "from user genpool.worker.2b7f:"),
        ("genpool.worker.2b7f.0a1b2c3d.x", "from user genpool.worker.2b7f.0a1b2c3d.x:"),
        ("genpool.gateway", "from user genpool.gateway:"),
        ("genpool.gateway.0A1B2C3D", "from user genpool.gateway.0A1B2C3D:"),
    ],
)
def test_others_are_not(user_id: str | None, said: str) -> None:
    with pytest.raises(InvalidMessage, match=said) as caught:
        read(delivery(user_id=user_id))
    assert caught.value.reason == "UntrustedSender"


def test_a_worker_of_another_pool_may_not_speak_for_this_one() -> None:
    """Else "succeeded" could be signed for a task that another pool has."""
    with pytest.raises(InvalidMessage, match="only the workers of pool art/photos") as caught:
        read(delivery(user_id=worker_user("another", "0a1b2c3d")))
    assert caught.value.reason == "UntrustedSender"


def test_a_stranger_learns_nothing_about_a_message_that_cannot_be_read() -> None:
    with pytest.raises(InvalidMessage) as caught:
        read(delivery(b"not json", user_id="producer"))
    assert caught.value.reason == "UntrustedSender"


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (1, 1), (0, 0), (-1, 0), ("7", 0), (True, 0), (2.5, 0), (None, 0)]
)
def test_the_count_of_failures_is_read_from_our_header(value: object, count: int) -> None:
    assert read(delivery(headers={h.ATTEMPT: value}, user_id=OWN)).failed_before == count
    assert read(delivery(headers={h.ATTEMPT: value})).failed_before == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the message: "),
        (b"not json", "the message: "),
        (b"[]", "the message: "),
        (b"null", "the message: "),
        (b"\xff\xfe", "the message: "),
        (json.dumps({"id": "x"}).encode(), "url: "),
        (json.dumps(message(url=5)).encode(), "url: "),
        (json.dumps(message(body="x")).encode(), "body: "),
        (json.dumps(message(body={**message()["body"], "run": "x"})).encode(), "body.run: "),
        (
            json.dumps({**message(), "body": {**message()["body"], "message": "\ud800"}}).encode(),
            "the message: ",
        ),
        (
            json.dumps(message()).encode().replace(b'"run": 1', b'"run": 1, "later": 1e999'),
            "its body cannot be",
        ),
        (b'{"a":' * 100_000, "the message: "),
    ],
)
def test_what_is_no_callback_is_told_and_shows_nothing_of_it(body: bytes, said: str) -> None:
    with pytest.raises(InvalidMessage, match=f"^the message is not a callback: {said}") as caught:
        read(delivery(body))
    assert caught.value.reason == "InvalidMessage"
    assert "s3cr3t" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        ("https://a.example/x", "a.example:443"),
        ("http://A.example:8080/", "a.example:8080"),
        ("http://[::1]/", "::1:80"),
        ("nonsense", ""),
        ("http://a:99999999/", ""),
    ],
)
def test_a_receiver_is_host_and_port(url: str, receiver: str) -> None:
    assert receiver_of(url) == receiver


def test_headers_of_retry_and_dead_letter() -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    first = read(delivery())
    since = int(now.timestamp())
    assert retry_headers(first, 2, 0, now) == {h.ATTEMPT: 2, h.SINCE: since, h.SCHEMA: 1}
    again = read(delivery(headers={h.ATTEMPT: 2, h.ASIDE: 1, h.SINCE: since - 500}, user_id=OWN))
    assert (again.failed_before, again.asides_before, again.put_off_seconds(now)) == (2, 1, 500)
    assert retry_headers(again, 2, 2, now) == {h.ATTEMPT: 2, h.ASIDE: 2, h.SINCE: since - 500, h.SCHEMA: 1}
    headers = dead_headers(DeadLetter("ReceiverGone", "410.", 3), "k" * 40, now)
    assert headers == {
        h.REASON: "ReceiverGone",
        h.MESSAGE: "410.",
        h.ATTEMPTS: 3,
        h.ENDED_AT: "2026-05-01T12:00:00.000+00:00",
        h.SCHEMA: 1,
        h.TASK_KEY: "k" * 40,
    }
