"""What a receiver gets: the task as the API shows it, as a CloudEvent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genpool_gateway.callbacks.callback import read
from genpool_gateway.callbacks.compose import Composer
from genpool_gateway.callbacks.ports import WebhookRequest
from genpool_gateway.pools.links import Links
from genpool_gateway.tasks.change import erase
from genpool_gateway.tasks.record import Position, Submission, TaskRecord, TaskState
from genpool_gateway.tasks.told import ended_record
from support.pool_objects import PEOPLE, pool_object, served
from unit.gateway.fakes import FakeReader
from unit.gateway.link_fakes import FakeBuckets, FakePlaces, FakePools
from unit.gateway.messages import OUTPUT, OWN, PHOTOS, delivery, message, of_event, with_end
from unit.gateway.samples import NOW, record

KEY = "ab" * 20
POOL = served(
    pool_object(
        "photos",
        PEOPLE,
        namespace="art",
        uid="2b7f",
        storage={"s3": {"bucket": "results"}, "retentionSeconds": 7200},
        security={"callbackHosts": [{"host": "todays.example"}]},
    )
)
NOTHING = FakeBuckets(())
ACCEPTED = record(
    KEY,
    pool=PHOTOS,
    task_id="task_12345",
    state=TaskState.QUEUED,
    submission=Submission(
        owner="key-1", body=b"{}", metadata={"album": 7}, callback_events=("start", "output", "end")
    ),
)


def composed(
    told: dict[str, Any], *known: TaskRecord, buckets: FakeBuckets | None = None, public_url: str = ""
) -> WebhookRequest | None:
    links = Links(buckets or FakeBuckets(), FakePools([POOL]), FakePlaces(), lambda: NOW)
    composer = Composer(FakeReader(known), links, public_url)
    return composer.compose(read(delivery(json.dumps(told).encode(), OWN)))


def sent(told: dict[str, Any], *known: TaskRecord, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - of composed
    request = composed(told, *known, **how)
    assert request is not None
    return dict(json.loads(request.body))


def test_the_body_is_the_task_as_the_api_shows_it() -> None:
    body = sent(with_end(), ACCEPTED, public_url="https://genpool.example")
    assert (body["id"], body["task_id"], body["status"], body["run"]) == (KEY, "task_12345", "succeeded", 1)
    assert body["pool"] == {"namespace": "art", "name": "photos"}
    assert body["metadata"] == {"album": 7}
    assert body["parameters"] == {"size": 680, "seed": 42}
    assert body["created_at"] == "2026-11-26T12:00:00Z"
    assert body["completed_at"] == "2026-05-01T10:00:00Z"
    assert body["expires_at"] == "2026-05-01T12:00:00Z"
    assert body["urls"]["self"] == f"https://genpool.example/v1/tasks/{KEY}"
    (output,) = body["outputs"]
    assert output["url"] == f"https://s3.example/results/{OUTPUT['key']}?signature=1"
    assert output["url_expires_at"] == "2026-11-27T12:00:00Z"


@pytest.mark.parametrize(
    ("public_url", "source"), [("", "/pools/art/photos"), ("https://g.example", "https://g.example")]
)
def test_the_headers_are_those_of_a_cloud_event(public_url: str, source: str) -> None:
    request = composed(with_end(), public_url=public_url)
    assert request is not None
    assert request.headers == {
        "ce-specversion": "1.0",
        "ce-id": message()["id"],
        "ce-type": "dev.genpool.task.ended",
        "ce-source": source,
        "ce-subject": KEY,
        "ce-time": "2026-05-01T10:00:00Z",
    }


def test_a_task_that_nobody_heard_of_is_told_from_its_end() -> None:
    body = sent(
        with_end(
            attempts=[
                {"attempt": 1, "worker": "w", "claimed_at": "2026-05-01T09:58:00Z", "outcome": "succeeded"}
            ]
        )
    )
    assert (body["created_at"], body["started_at"]) == ("2026-05-01T09:58:00Z", "2026-05-01T09:59:00Z")
    assert (body["status"], body["metadata"]) == ("succeeded", {})


def test_the_workers_link_counts_where_the_gateway_may_not_sign() -> None:
    (output,) = sent(with_end(), buckets=NOTHING)["outputs"]
    assert output["url"].startswith("https://worker.example/a.png?")
    assert output["url_expires_at"] == "2026-05-01T11:00:00Z"


@pytest.mark.parametrize(
    "url", ["https://w.example/a.png", "https://w.example/a?X-Amz-Date=1&X-Amz-Expires=x"]
)
def test_until_when_another_stores_link_is_valid_is_not_known(url: str) -> None:
    told = with_end()
    told["body"]["outputs"][0]["url"] = url
    (output,) = sent(told, buckets=NOTHING)["outputs"]
    assert (output["url"], output["url_expires_at"]) == (url, None)


def test_a_message_of_the_release_before_is_sent_as_it_is() -> None:
    request = composed(message())
    assert request is not None
    assert (json.loads(request.body), request.headers) == (message()["body"], {})


def test_the_pools_rules_of_today_count_and_the_workers_word_where_there_is_no_pool() -> None:
    for told in (message(), with_end()):
        request = composed(told)
        assert request is not None
        assert [rule.host for rule in request.allow] == ["todays.example"]
    gone = with_end()
    gone["body"]["pool"]["uid"] = "another"
    request = composed(gone)
    assert request is not None
    assert [rule.host for rule in request.allow] == ["receiver.example"]


def test_an_end_is_told_as_it_was_whatever_the_task_does_by_now() -> None:
    again = record(
        KEY, pool=PHOTOS, state=TaskState.RUNNING, position=Position(2, ended=False, attempt=1, rank=1)
    )
    body = sent(with_end(outcome="dead", reason="NodeFailed", code=2001), again)
    assert (body["status"], body["run"], body["error"]["code"]) == ("failed", 1, 2001)


def test_of_an_erased_task_the_end_alone_is_told() -> None:
    ended = ended_record(ACCEPTED, read(delivery(json.dumps(with_end()).encode(), OWN)).message.end, PHOTOS)  # type: ignore[arg-type]
    body = sent(with_end(), erase(ended, NOW))
    assert (body["status"], body["outputs"], body["parameters"], body["metadata"]) == (
        "succeeded",
        [],
        {},
        {},
    )
    assert composed(of_event(), erase(ended, NOW)) is None


def test_a_worker_cannot_have_another_pools_task_told() -> None:
    other = record(KEY, submission=Submission(owner="k", body=b"", metadata={"secret": 1}))
    assert other.pool.uid != PHOTOS.uid
    assert sent(with_end(), other)["metadata"] == {}


def test_a_start() -> None:
    request = composed(of_event(workflow=PEOPLE), ACCEPTED)
    assert request is not None
    assert (request.headers["ce-type"], request.headers["ce-time"]) == (
        "dev.genpool.task.started",
        "2026-05-01T09:59:00Z",
    )
    body = json.loads(request.body)
    assert (body["status"], body["started_at"], body["workflow"]) == (
        "running",
        "2026-05-01T09:59:00Z",
        PEOPLE,
    )
    assert (body["outputs"], body["completed_at"], body["metadata"]) == ([], None, {"album": 7})


def test_an_output_while_the_task_runs_or_after_its_end() -> None:
    ended = ended_record(ACCEPTED, read(delivery(json.dumps(with_end()).encode(), OWN)).message.end, PHOTOS)  # type: ignore[arg-type]
    for known in (ACCEPTED, ended):
        request = composed(of_event(type="task.output", output=OUTPUT), known)
        assert request is not None
        assert request.headers["ce-type"] == "dev.genpool.task.output"
        body = json.loads(request.body)
        assert body["status"] == "running"
        assert [output["name"] for output in body["outputs"]] == ["a.png"]
        assert body["outputs"][0]["url"] is not None


def test_what_was_not_asked_for_is_not_sent() -> None:
    only_start = record(
        KEY, pool=PHOTOS, submission=Submission(owner="k", body=b"", callback_events=("start",))
    )
    assert composed(with_end(), only_start) is None
    assert composed(of_event(), only_start) is not None
