"""Who is told what when the broker answers, and what the store must know afterwards."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from genpool_core.errors import BrokerError
from genpool_gateway.accepting.in_flight import InFlight, Outcome
from genpool_gateway.accepting.refusals import NotPublished, Unconfirmed
from genpool_gateway.tasks.record import TaskState
from unit.gateway.samples import record


def answered(error: Exception | None) -> Future[None]:
    future: Future[None] = Future()
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    return future


REFUSED = BrokerError("no queue.", reason="Unroutable")
LOST = BrokerError("the connection was lost.", uncertain=True)


def test_a_confirmed_task_is_queued_for_all_who_wait() -> None:
    flights, first, second = InFlight(), Future[Outcome](), Future[Outcome]()
    assert flights.begin(record("a"), first, fresh=True)
    assert not flights.begin(record("a"), second, fresh=False), "it is under way already"
    flights.ended("a", answered(None))
    assert (first.result(0).repeated, second.result(0).repeated) == (False, True)
    assert first.result(0).record.state is TaskState.QUEUED
    assert flights.take_settled().published == ["a"]
    assert flights.take_settled().published == []
    assert len(flights) == 0


@pytest.mark.parametrize(
    ("fresh", "error", "refusal", "deleted"),
    [
        (True, REFUSED, NotPublished, True),
        # It may be in the queue: its row stays, so that the same task is not made twice.
        (True, LOST, Unconfirmed, False),
        (True, RuntimeError("a defect"), Unconfirmed, False),
        # A publish before this one may have arrived, whatever became of this one.
        (False, REFUSED, Unconfirmed, False),
        (False, LOST, Unconfirmed, False),
    ],
)
def test_a_row_goes_only_where_nobody_has_its_message(
    fresh: object, error: Exception, refusal: type[Exception], deleted: object
) -> None:
    flights, waiter = InFlight(), Future[Outcome]()
    flights.begin(record("a"), waiter, fresh=bool(fresh))
    flights.ended("a", answered(error))
    said = waiter.exception(0)
    assert type(said) is refusal
    if isinstance(said, Unconfirmed):
        assert said.task == "a"
    settled = flights.take_settled()
    assert (settled.published, settled.refused) == ([], ["a"] if deleted else [])


def test_one_who_left_is_no_trouble() -> None:
    flights, waiter = InFlight(), Future[Outcome]()
    flights.begin(record("a"), waiter, fresh=True)
    waiter.cancel()
    flights.ended("a", answered(None))
    assert flights.take_settled().published == ["a"]


def test_what_the_store_could_not_be_told_is_told_later() -> None:
    flights = InFlight()
    flights.begin(record("a"), None, fresh=False)
    flights.ended("a", answered(None))
    flights.give_back(flights.take_settled())
    assert flights.take_settled().published == ["a"]
