"""How a delivery ends. The order never changes: end record, dead letter, event, callback, acknowledgement.

Each step is confirmed before the next. A crash between two of them brings the message back, and what is missing is
then done under the same ids. Every method may raise HandBack while the worker drains, and UnreadableLedger.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from genpool_core import names
from genpool_core.errors import StorageError, TaskFailure
from genpool_core.fate import Retry, fate
from genpool_core.ledger import keys
from genpool_core.ledger.decide import AnnounceAgain, Bury, Park, counted_attempts, is_stale
from genpool_core.ledger.records import Claim, EndRecord, Failure, Output
from genpool_core.messages import headers
from genpool_worker.announce import again, why
from genpool_worker.lease import HeldClaim
from genpool_worker.parts import Parts
from genpool_worker.ports import Message
from genpool_worker.prepare import Prepared, callback_for
from genpool_worker.receive import Delivered, Unnamed
from genpool_worker.records import Attempted, Ending, end_record, succeeded

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Finisher:
    """Ends deliveries of one worker."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # Without an attempt -----------------------------------------------------------------------------------------

    def reject(self, message: Message, failure: TaskFailure) -> None:
        """A message that has no end record goes to the dead-letter queue with its reason."""
        reason = why(failure.reason, failure.message, attempts=0)
        reason[headers.ENDED_AT] = self._parts.clock.now().isoformat()
        self._hold("the broker", lambda: self._parts.announcer.dead_letter(message, reason))
        self._parts.announcer.rejected(failure)
        self._parts.broker.ack(message)
        self._parts.metrics.message("rejected")
        _log.warning("message_rejected", reason=failure.reason, message=failure.message)

    def stamp(self, unnamed: Unnamed) -> None:
        """Give a task an id before anything is done: it comes back under that id."""
        message_id = str(uuid.uuid4())
        copy = again(unnamed.message, "", self._parts.config.queue, {}, new_id=message_id)
        self._hold("the broker", lambda: self._parts.broker.publish(copy))
        self._parts.broker.ack(unnamed.message)
        self._parts.metrics.message("stamped")
        _log.info("message_stamped", message_id=message_id)

    def park(self, task: Delivered, park: Park) -> None:
        """Put the message into a delay step: somebody else is at its task."""
        own: dict[str, headers.HeaderValue] = {headers.RUN: task.run}
        if park.failed_attempt is not None:
            own[headers.ATTEMPT] = park.failed_attempt
        self._delay(task.message, park.seconds, own)
        self._parts.broker.ack(task.message)
        self._parts.metrics.message("parked")
        _log.info("message_parked", seconds=park.seconds)

    def announce_again(self, task: Delivered, decision: AnnounceAgain) -> None:
        """The task has ended before; its announcement may be missing."""
        if task.delivery.redelivered:
            self._sweep(task, decision.end)
        self._announce(task, decision.end, dead_letter=decision.dead_letter, attempts=decision.end.attempt)
        self._parts.metrics.message("announced_again")
        _log.info("end_announced_again", outcome=decision.end.outcome)

    def refuse(self, task: Delivered, failure: TaskFailure, claims: Sequence[Claim]) -> None:
        """No worker could do this task."""
        self._dead(task, failure, Attempted(_latest(claims), _nonce()), counted_attempts(claims))

    def bury(self, task: Delivered, decision: Bury, claims: Sequence[Claim]) -> None:
        """No attempt is left."""
        last = max(claims, key=lambda claim: claim.attempt)
        ending = Ending("dead", decision.failure.reason, decision.failure.message)
        by = Attempted(last.attempt, _nonce(), last)
        self._conclude(task, ending, by, decision.attempts)

    # After an attempt -------------------------------------------------------------------------------------------

    def succeed(self, task: Delivered, held: HeldClaim, prepared: Prepared, outputs: list[Output]) -> None:
        """All results are in the bucket."""
        claim = held.claim
        by = Attempted(claim.attempt, claim.nonce, claim, prepared)
        self._parts.metrics.attempt("succeeded", "Succeeded")
        self._conclude(task, succeeded(outputs), by, claim.attempt)

    def fail(self, task: Delivered, held: HeldClaim, prepared: Prepared, failure: TaskFailure) -> None:
        """The attempt failed: another one after a delay, or the end."""
        parts = self._parts
        state = self._hold("the store", lambda: parts.ledger.read(task.key, task.run))
        if state.end is not None:
            parts.metrics.attempt("stale", failure.reason)
            self._announce(task, state.end, dead_letter=False, attempts=state.end.attempt)
            return
        if is_stale(state.claims, held.claim):
            parts.metrics.attempt("stale", failure.reason)
            parts.broker.ack(task.message)
            _log.info("attempt_stale", reason=failure.reason, message=failure.message)
            return
        counted = counted_attempts(state.claims)
        verdict = fate(failure, counted=counted, max_attempts=parts.config.max_attempts)
        if isinstance(verdict, Retry):
            self._retry(task, held, failure, verdict.delay_seconds)
            return
        parts.metrics.attempt("dead", failure.reason)
        by = Attempted(held.claim.attempt, held.claim.nonce, held.claim, prepared)
        self._conclude(task, Ending("dead", verdict.reason, verdict.message), by, counted)

    def release(self, task: Delivered, held: HeldClaim, message: str) -> None:
        """Give the task back to the queue; the attempt does not count. Tries once: the pod is going."""
        try:
            held.release()
        except StorageError as error:
            _log.warning("claim_not_released", reason=error.reason, message=error.message)
        self._parts.broker.hand_back(task.message)
        self._parts.metrics.attempt("released", "Drained")
        _log.info("task_handed_back", message=message)

    # Steps ------------------------------------------------------------------------------------------------------

    def _retry(self, task: Delivered, held: HeldClaim, failure: TaskFailure, delay_seconds: int) -> None:
        parts = self._parts
        record = Failure(
            reason=failure.reason,
            message=failure.message,
            retryable=failure.retryable,
            time=parts.clock.now(),
        )
        attempt = held.claim.attempt
        self._hold("the store", lambda: held.fail(record))
        self._delay(task.message, delay_seconds, {headers.ATTEMPT: attempt, headers.RUN: task.run})
        parts.announcer.retried(task, attempt, failure, delay_seconds)
        parts.broker.ack(task.message)
        parts.metrics.attempt("retried", failure.reason)
        _log.warning(
            "attempt_failed", reason=failure.reason, message=failure.message, retry_seconds=delay_seconds
        )

    def _delay(self, message: Message, seconds: int, own: dict[str, headers.HeaderValue]) -> None:
        copy = again(message, names.retry_step(seconds), self._parts.config.queue, own)
        self._hold("the broker", lambda: self._parts.broker.publish(copy))

    def _dead(self, task: Delivered, failure: TaskFailure, by: Attempted, attempts: int) -> None:
        self._conclude(task, Ending("dead", failure.reason, failure.message), by, attempts)

    def _conclude(self, task: Delivered, ending: Ending, by: Attempted, attempts: int) -> None:
        parts = self._parts
        record = end_record(
            task,
            ending,
            by,
            worker=parts.worker,
            callback_url=callback_for(task.body, parts.config),
            now=parts.clock.now(),
        )
        with parts.metrics.phase("finish"):
            standing = self._hold("the store", lambda: parts.ledger.end(record))
            won = standing.nonce == record.nonce
            if not (won and by.number <= 1 and ending.outcome == "succeeded"):
                self._sweep(task, standing)
            self._announce(task, standing, dead_letter=won and ending.outcome == "dead", attempts=attempts)
        if not won:
            _log.info("end_was_there", outcome=standing.outcome, attempt=standing.attempt)
            return
        parts.metrics.task(ending.outcome, ending.reason)
        log = _log.info if ending.outcome == "succeeded" else _log.warning
        log(
            "task_ended",
            outcome=ending.outcome,
            reason=ending.reason,
            message=ending.message,
            attempts=attempts,
        )

    def _announce(self, task: Delivered, end: EndRecord, *, dead_letter: bool, attempts: int) -> None:
        announcer = self._parts.announcer
        if dead_letter:
            reason = why(end.reason, end.message, attempts=attempts)
            reason |= {
                headers.TASK_KEY: end.task_key,
                headers.RUN: end.run,
                headers.ENDED_AT: end.ended_at.isoformat(),
            }
            self._hold("the broker", lambda: announcer.dead_letter(task.message, reason))
        self._hold("the broker", lambda: announcer.ended(end))
        self._hold("the broker", lambda: announcer.callback(end))
        self._parts.broker.ack(task.message)

    def _sweep(self, task: Delivered, end: EndRecord) -> None:
        """Delete results that are in no end record: those of attempts that were lost, or that lost a race."""
        run = keys.run_prefix(self._parts.config.s3.prefix, task.key, task.run)
        keep = {output.key for output in end.outputs}
        try:
            found = [key for key in self._parts.store.keys(f"{run}a") if key not in keep]
            stray = [key for key in found if not key.startswith(f"{run}attempts/")]
            if stray:
                self._parts.store.delete(stray)
        except StorageError as error:
            _log.info("results_not_swept", reason=error.reason)

    def _hold(self, what: str, action: Callable[[], T]) -> T:
        return self._parts.patience.hold(what, action)


def _latest(claims: Sequence[Claim]) -> int:
    return max((claim.attempt for claim in claims), default=0)


def _nonce() -> str:
    return uuid.uuid4().hex
