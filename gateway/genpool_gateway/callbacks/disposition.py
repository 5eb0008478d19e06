"""The disposition of a callback after an attempt to deliver it. Pure.

======================================================  ================================================
the receiver                                            the callback
======================================================  ================================================
answers 2xx                                             is delivered
answers 408, 425, 429 or 5xx, or does not answer        waits for the next step, for 24 hours in all
answers 410, another 4xx, or redirects                  is dead at once
must not be reached                                     is dead at once
is away, as other callbacks have found                  waits without an attempt, each time longer, for 24 hours in all
======================================================  ================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from genpool_core import timing

_RETRYABLE = frozenset({408, 425, 429})
_GONE = 410
_HOURS = timing.CALLBACK_GIVE_UP_SECONDS // 3600


@dataclass(frozen=True)
class Answered:
    """The receiver answered. ``retry_after`` is its own wish in seconds, when it gave one as a number."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True)
class Away:
    """The receiver did not answer; ``why`` is a sentence without the URL's query."""

    why: str


@dataclass(frozen=True)
class Forbidden:
    """The URL must not be asked."""

    reason: str
    why: str


Outcome = Answered | Away | Forbidden


@dataclass(frozen=True)
class Acknowledge:
    """Acknowledge it: the receiver has it."""


@dataclass(frozen=True)
class RetryLater:
    """Publish it to the delay step of so many seconds, with the number of attempts that failed."""

    delay_seconds: int
    attempts: int


@dataclass(frozen=True)
class DeadLetter:
    """Publish it to the dead-letter queue with this reason."""

    reason: str
    message: str
    attempts: int


Disposition = Acknowledge | RetryLater | DeadLetter


def decide_disposition(outcome: Outcome, failed_before: int, put_off_seconds: float = 0.0) -> Disposition:
    """What to do after an attempt, when ``failed_before`` attempts failed before it.

    ``put_off_seconds``: since the callback was put off for the first time.
    """
    attempts = failed_before + 1
    decided = _decide(outcome, attempts)
    if isinstance(decided, RetryLater) and _is_over(decided.delay_seconds, put_off_seconds):
        return _given_up(_reason(outcome), _said(outcome), attempts)
    return decided


def decide_aside(asides_before: int, failed_before: int, put_off_seconds: float) -> RetryLater | DeadLetter:
    """What to do with a callback that waited in vain for a receiver that is away, without an attempt.

    It waits for longer each time, ``asides_before`` times so far; that is no attempt, but its 24 hours go on.
    """
    steps = timing.RETRY_STEPS[1:]
    delay = steps[min(asides_before, len(steps) - 1)]
    if _is_over(delay, put_off_seconds):
        return _given_up("ReceiverAway", "the receiver took no callback", failed_before)
    return RetryLater(delay, failed_before)


def decide_unasked(failed_before: int, put_off_seconds: float) -> RetryLater | DeadLetter:
    """What to do with a callback that could not be put together, because something of ours is away.

    That says nothing against the receiver, so it is no attempt, and the wait stays short.
    """
    delay = timing.RETRY_STEPS[1 if put_off_seconds else 0]
    if _is_over(delay, put_off_seconds):
        return _given_up("ReceiverAway", "it could not be sent", failed_before)
    return RetryLater(delay, failed_before)


def _decide(outcome: Outcome, attempts: int) -> Disposition:
    match outcome:
        case Forbidden(reason, why):
            return DeadLetter(reason, why, attempts)
        case Away():
            return _retry(attempts, None, outcome)
        case Answered():
            return _after_answer(outcome, attempts)


def is_retried(answer: Answered) -> bool:
    """Whether an answer asks for another attempt."""
    return answer.status in _RETRYABLE or answer.status >= 500  # noqa: PLR2004 - HTTP's classes


def delays() -> tuple[int, ...]:
    """The waits after the first, second, … failed attempt, in seconds: each step once, then the longest again."""
    steps = (
        *timing.RETRY_STEPS,
        *[timing.RETRY_STEPS[-1]] * (timing.CALLBACK_GIVE_UP_SECONDS // timing.RETRY_STEPS[-1]),
    )
    fitting = sum(1 for total in accumulate(steps) if total <= timing.CALLBACK_GIVE_UP_SECONDS)
    return steps[:fitting]


def _after_answer(outcome: Answered, attempts: int) -> Disposition:
    status, said = outcome.status, _said(outcome)
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's classes
        return Acknowledge()
    if is_retried(outcome):
        return _retry(attempts, outcome.retry_after, outcome)
    if status == _GONE:
        return DeadLetter("ReceiverGone", f"{said}: it wants no more callbacks at this URL.", attempts)
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP's classes
        text = f"{said}, a redirect, which is not followed: send the final URL as callback_url."
        return DeadLetter("ReceiverRedirects", text, attempts)
    return DeadLetter(
        "ReceiverRefused", f"{said}: look at the receiver's log, and publish it again.", attempts
    )


def _retry(attempts: int, retry_after: int | None, outcome: Answered | Away) -> Disposition:
    waits = delays()
    if attempts > len(waits):
        return _given_up(_reason(outcome), _said(outcome), attempts)
    wish = next((step for step in timing.RETRY_STEPS if step >= (retry_after or 0)), timing.RETRY_STEPS[-1])
    return RetryLater(max(waits[attempts - 1], wish), attempts)


def _is_over(delay_seconds: float, put_off_seconds: float) -> bool:
    return put_off_seconds + delay_seconds > timing.CALLBACK_GIVE_UP_SECONDS


def _given_up(reason: str, said: str, attempts: int) -> DeadLetter:
    return DeadLetter(reason, f"{said} (given up after {attempts} attempts in {_HOURS} hours).", attempts)


def _reason(outcome: Outcome) -> str:
    return "ReceiverFailed" if isinstance(outcome, Answered) else "ReceiverAway"


def _said(outcome: Outcome) -> str:
    match outcome:
        case Answered(status):
            return f"the receiver answered {status}"
        case Away(why) | Forbidden(_, why):
            return f"the receiver did not take it: {why}"
