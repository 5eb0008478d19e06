"""The disposition of a callback after an attempt to deliver it. Pure.

======================================================  ================================================
the receiver                                            the callback
======================================================  ================================================
answers 2xx                                             is delivered
answers 408, 425, 429 or 5xx, or does not answer        waits for the next step, for 24 hours in all
answers 410, another 4xx, or redirects                  is dead at once
must not be reached                                     is dead at once
was slow a moment ago and is being tried                waits for the first step, and that is not counted
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


@dataclass(frozen=True)
class ReceiverBusy:
    """Not tried: this receiver is slow, and others wait."""


Outcome = Answered | Away | Forbidden | ReceiverBusy


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


def decide_disposition(outcome: Outcome, failed_before: int) -> Disposition:
    """What to do after an attempt, when ``failed_before`` attempts failed before it."""
    attempts = failed_before + 1
    match outcome:
        case ReceiverBusy():
            return RetryLater(timing.RETRY_STEPS[0], failed_before)
        case Forbidden(reason, why):
            return DeadLetter(reason, why, attempts)
        case Away(why):
            return _retry(attempts, None, "ReceiverAway", f"the receiver did not take it: {why}")
        case Answered(status, retry_after):
            return _after_answer(status, retry_after, attempts)


def delays() -> tuple[int, ...]:
    """The waits after the first, second, … failed attempt, in seconds: each step once, then the longest again."""
    steps = (
        *timing.RETRY_STEPS,
        *[timing.RETRY_STEPS[-1]] * (timing.CALLBACK_GIVE_UP_SECONDS // timing.RETRY_STEPS[-1]),
    )
    fitting = sum(1 for total in accumulate(steps) if total <= timing.CALLBACK_GIVE_UP_SECONDS)
    return steps[:fitting]


def _after_answer(status: int, retry_after: int | None, attempts: int) -> Disposition:
    said = f"the receiver answered {status}"
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's classes
        return Acknowledge()
    if status in _RETRYABLE or status >= 500:  # noqa: PLR2004 - HTTP's classes
        return _retry(attempts, retry_after, "ReceiverFailed", said)
    if status == _GONE:
        return DeadLetter("ReceiverGone", f"{said}: it wants no more callbacks at this URL.", attempts)
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP's classes
        text = f"{said}, a redirect, which is not followed: send the final URL as callback_url."
        return DeadLetter("ReceiverRedirects", text, attempts)
    return DeadLetter(
        "ReceiverRefused", f"{said}: look at the receiver's log, and publish it again.", attempts
    )


def _retry(attempts: int, retry_after: int | None, reason: str, said: str) -> Disposition:
    waits = delays()
    if attempts > len(waits):
        return DeadLetter(reason, f"{said} (given up after {attempts} attempts in {_HOURS} hours).", attempts)
    wish = next((step for step in timing.RETRY_STEPS if step >= (retry_after or 0)), timing.RETRY_STEPS[-1])
    return RetryLater(max(waits[attempts - 1], wish), attempts)
