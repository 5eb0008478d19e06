from __future__ import annotations

import pytest

from genpool_core import timing
from genpool_core.timing import RETRY_STEPS
from genpool_gateway.callbacks.disposition import (
    Acknowledge,
    Answered,
    Away,
    DeadLetter,
    Forbidden,
    Outcome,
    RetryLater,
    decide_aside,
    decide_disposition,
    decide_unasked,
    delays,
)

LAST = len(delays())


@pytest.mark.parametrize(("put_off", "delay"), [(0.0, 5), (5.0, 30), (80_000.0, 30)])
def test_what_could_not_be_put_together_waits_and_no_attempt_is_counted(put_off: float, delay: int) -> None:
    assert decide_unasked(4, put_off) == RetryLater(delay, 4)


def test_what_could_not_be_put_together_for_a_day_is_given_up() -> None:
    found = decide_unasked(4, timing.CALLBACK_GIVE_UP_SECONDS)
    assert isinstance(found, DeadLetter)
    assert (found.reason, found.attempts) == ("ReceiverAway", 4)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("failed_before", [0, 3, 500])
def test_any_2xx_is_delivered(status: int, failed_before: int) -> None:
    assert decide_disposition(Answered(status), failed_before) == Acknowledge()


@pytest.mark.parametrize(
    "outcome",
    [
        Away("x"),
        *(Answered(status) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
    ],
)
@pytest.mark.parametrize(
    ("failed_before", "delay"),
    [(0, 5), (1, 30), (2, 120), (3, 600), (4, 3600), (5, 3600), (LAST - 1, 3600)],
)
def test_an_absent_receiver_is_tried_again_later_and_later(
    outcome: Outcome, failed_before: int, delay: int
) -> None:
    assert decide_disposition(outcome, failed_before) == RetryLater(delay, failed_before + 1)


@pytest.mark.parametrize("outcome", [Away("refused."), Answered(503), Answered(429, 60)])
@pytest.mark.parametrize("failed_before", [LAST, LAST + 1, 10_000])
def test_a_receiver_that_stays_away_is_given_up(outcome: Outcome, failed_before: int) -> None:
    given_up = decide_disposition(outcome, failed_before)
    assert isinstance(given_up, DeadLetter)
    assert given_up.reason in {"ReceiverAway", "ReceiverFailed"}
    assert f"given up after {failed_before + 1} attempts" in given_up.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "ReceiverRefused"),
        (401, "ReceiverRefused"),
        (403, "ReceiverRefused"),
        (404, "ReceiverRefused"),
        (405, "ReceiverRefused"),
        (413, "ReceiverRefused"),
        (422, "ReceiverRefused"),
        (410, "ReceiverGone"),
        (300, "ReceiverRedirects"),
        (301, "ReceiverRedirects"),
        (302, "ReceiverRedirects"),
        (307, "ReceiverRedirects"),
        (308, "ReceiverRedirects"),
    ],
)
@pytest.mark.parametrize("failed_before", [0, 4])
def test_a_refusal_ends_it_at_once(status: int, reason: str, failed_before: int) -> None:
    ended = decide_disposition(Answered(status), failed_before)
    assert isinstance(ended, DeadLetter)
    assert (ended.reason, ended.attempts) == (reason, failed_before + 1)
    assert str(status) in ended.message


def test_a_forbidden_url_ends_it_at_once() -> None:
    assert decide_disposition(Forbidden("AddressNotAllowed", "no"), 2) == DeadLetter(
        "AddressNotAllowed", "no", 3
    )


@pytest.mark.parametrize(("asides", "delay"), [(0, 30), (1, 120), (2, 600), (3, 3600), (50, 3600)])
def test_what_is_set_aside_waits_longer_each_time_and_that_is_no_attempt(asides: int, delay: int) -> None:
    assert decide_aside(asides, 3, 1000.0) == RetryLater(delay, 3)


@pytest.mark.parametrize(
    ("put_off", "over"), [(0, False), (24 * 3600 - 3600, False), (24 * 3600 - 3599, True), (10**6, True)]
)
def test_a_day_is_all_that_a_callback_gets(put_off: float, over: bool) -> None:  # noqa: FBT001
    decided = decide_aside(10, 2, put_off), decide_disposition(Away("x"), 10, put_off)
    assert [isinstance(item, DeadLetter) for item in decided] == [over, over]
    assert decide_disposition(Answered(200), 10, put_off) == Acknowledge()


@pytest.mark.parametrize(
    ("failed_before", "retry_after", "delay"),
    [
        (0, 1, 5),
        (0, 6, 30),
        (0, 30, 30),
        (1, 5, 30),
        (0, 100, 120),
        (0, 3600, 3600),
        (0, 99_999, 3600),
        (4, 5, 3600),
    ],
)
def test_a_receivers_wish_makes_the_wait_longer_never_shorter(
    failed_before: int, retry_after: int, delay: int
) -> None:
    assert decide_disposition(Answered(429, retry_after), failed_before) == RetryLater(
        delay, failed_before + 1
    )


def test_the_waits_are_the_steps_then_hours_for_a_day() -> None:
    assert delays()[:5] == RETRY_STEPS
    assert set(delays()[5:]) == {3600}
    assert sum(delays()) <= timing.CALLBACK_GIVE_UP_SECONDS < sum(delays()) + 3600
