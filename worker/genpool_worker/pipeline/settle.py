"""How a delivery is settled. The order never changes: end record, dead letter, event, callback, acknowledgement.

Each step is confirmed before the next. A crash between two of them brings the message back, and what is missing is
then done under the same ids. Every method may raise HandBack while the worker drains, UnreadableLedger, Refused,
and NoCopy.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog

from genpool_core import names, timing
from genpool_core.errors import StorageError, TaskFailure
from genpool_core.ledger import keys
from genpool_core.ledger.decide import Bury, Park, PublishAgain, counted_attempts, is_stale
from genpool_core.ledger.records import Claim, EndRecord, Failure, Output
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.arrival import enqueued_at
from genpool_core.messages.copies import copy_of, reason_headers
from genpool_core.retry_policy import Retry, decide_retry
from genpool_core.tasks.check import callback_for
from genpool_core.tasks.decode import TaskDelivery, UnidentifiedTask
from genpool_worker.context import WorkerContext
from genpool_worker.errors import NoCopy
from genpool_worker.pipeline.end_record import (
    AttemptInfo,
    AttemptInHand,
    Ending,
    Ran,
    Surroundings,
    end_record,
    succeeded,
)

_log = structlog.get_logger(__name__)
WORKFLOW_UNAVAILABLE = "WorkflowUnavailable"


class Settler:
    """Settles the deliveries of one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._until_stored = context.retry.until_stored
        self._until_published = context.retry.until_published

    # Without an attempt -----------------------------------------------------------------------------------------

    def reject(self, delivery: Delivery, failure: TaskFailure) -> None:
        """A message that has no end record goes to the dead-letter queue with its reason."""
        reason = reason_headers(failure.reason, failure.message, attempts=0)
        reason[headers.ENDED_AT] = self._context.clock.now().isoformat()
        self._until_published(lambda: self._context.publisher.dead_letter(delivery, reason))
        self._context.publisher.rejected(failure)
        self._context.broker.ack(delivery)
        self._context.metrics.message("rejected")
        _log.warning("message_rejected", reason=failure.reason, message=failure.message)

    def stamp(self, task: UnidentifiedTask) -> None:
        """Give a task an id before anything is done: it comes back under that id."""
        message_id = str(uuid.uuid4())
        config = self._context.config
        copy = copy_of(
            task.delivery, "", config.queue, {}, pool_uid=config.pool.uid, new_id=message_id, expires=True
        )
        self._until_published(lambda: self._context.publisher.copy(copy))
        self._context.broker.ack(task.delivery)
        self._context.metrics.message("stamped")
        _log.info("message_stamped", message_id=message_id)

    def park(self, task: TaskDelivery, park: Park) -> None:
        """Put the message into a delay step: another worker holds its task."""
        self._set_aside(task, park.seconds, park.failed_attempt, {})
        self._context.metrics.message("parked")
        _log.info("message_parked", seconds=park.seconds)

    def put_off(self, task: TaskDelivery, work: AttemptInHand | None = None) -> None:
        """Let a task wait whose workflow ComfyUI cannot run, for longer each time. An attempt begun does not count."""
        if work is not None:
            seconds_used = self._gpu_seconds(work)
            self._until_stored(lambda: work.held.release(seconds_used))
            self._context.metrics.attempt("released", WORKFLOW_UNAVAILABLE)
        seconds = timing.PUT_OFF_STEPS[task.put_off]
        self._set_aside(task, seconds, task.info.failed_attempt, {headers.PUT_OFF: task.put_off + 1})
        self._context.metrics.message("put_off")
        _log.info("task_put_off", seconds=seconds, times=task.put_off + 1)

    def publish_again(self, task: TaskDelivery, decision: PublishAgain) -> None:
        """The run has ended before; its event, callback or dead letter may be missing."""
        if task.info.redelivered:
            self._sweep(task, decision.end)
        self._publish_end(task, decision.end, dead_letter=decision.dead_letter, attempts=decision.end.attempt)
        self._context.metrics.message("announced_again")
        _log.info("end_published_again", outcome=decision.end.outcome)

    def refuse(self, task: TaskDelivery, failure: TaskFailure, claims: Sequence[Claim]) -> None:
        """No worker of this pool could do the task: it ends as dead."""
        ending = Ending("dead", failure.reason, failure.message)
        by = AttemptInfo(_latest(claims), _nonce(), tuple(claims))
        self._end(task, ending, by, counted_attempts(claims))

    def bury(self, task: TaskDelivery, decision: Bury, claims: Sequence[Claim]) -> None:
        """No attempt is left: the task ends as dead."""
        ending = Ending("dead", decision.failure.reason, decision.failure.message)
        by = AttemptInfo(_latest(claims), _nonce(), tuple(claims))
        self._end(task, ending, by, decision.attempts)

    # After an attempt -------------------------------------------------------------------------------------------

    def succeed(self, task: TaskDelivery, work: AttemptInHand, outputs: list[Output]) -> None:
        """All results are in the bucket."""
        self._context.metrics.attempt("succeeded", "Succeeded")
        self._end(task, succeeded(outputs), _ended_by(work, work.earlier), work.held.claim.attempt)

    def fail(self, task: TaskDelivery, work: AttemptInHand, failure: TaskFailure) -> None:
        """The attempt failed: another one after a delay, or the end."""
        context, held = self._context, work.held
        state = self._until_stored(lambda: context.ledger.read(task.ref.key, task.ref.run))
        if state.end is not None:
            context.metrics.attempt("stale", failure.reason)
            self._publish_end(task, state.end, dead_letter=False, attempts=state.end.attempt)
            return
        if is_stale(state.claims, held.claim):
            context.metrics.attempt("stale", failure.reason)
            context.broker.ack(task.delivery)
            _log.info("attempt_stale", reason=failure.reason, message=failure.message)
            return
        counted = counted_attempts(state.claims)
        verdict = decide_retry(failure, counted=counted, max_attempts=context.config.max_attempts)
        ending = Ending("dead", failure.reason, failure.message)
        if isinstance(verdict, Retry):
            try:
                self._retry(task, work, failure, verdict.delay_seconds)
            except NoCopy as error:
                _log.warning("attempt_not_retried", reason=error.reason, message=error.message)
            else:
                return
        else:
            ending = Ending("dead", verdict.reason, verdict.message)
        context.metrics.attempt("dead", failure.reason)
        self._end(task, ending, _ended_by(work, state.claims), counted)

    def cancel(self, task: TaskDelivery, work: AttemptInHand, ending: Ending) -> None:
        """The task was cancelled while it was in hand: its run ends, and the attempt does not count."""
        self._context.metrics.attempt("released", ending.reason)
        self._end(task, ending, _ended_by(work, work.earlier), work.held.claim.attempt)

    def release(self, task: TaskDelivery, work: AttemptInHand, message: str) -> None:
        """Give the task back to the queue; the attempt does not count. Tries once: the pod is going."""
        try:
            work.held.release(self._gpu_seconds(work))
        except StorageError as error:
            _log.warning("claim_not_released", reason=error.reason, message=error.message)
        self._context.broker.requeue(task.delivery)
        self._context.metrics.attempt("released", "Drained")
        _log.info("task_handed_back", message=message)

    # Steps ------------------------------------------------------------------------------------------------------

    def _gpu_seconds(self, work: AttemptInHand) -> float | None:
        return work.trace.gpu_seconds(self._context.clock.now())

    def _retry(
        self, task: TaskDelivery, work: AttemptInHand, failure: TaskFailure, delay_seconds: int
    ) -> None:
        context, attempt = self._context, work.held.claim.attempt
        seconds_used = self._gpu_seconds(work)
        record = Failure(
            reason=failure.reason,
            message=failure.message,
            retryable=failure.retryable,
            time=context.clock.now(),
        )
        self._until_stored(lambda: work.held.fail(record, seconds_used))
        self._delay(task.delivery, delay_seconds, {headers.ATTEMPT: attempt, headers.RUN: task.ref.run})
        context.publisher.retried(task.ref, attempt, failure, delay_seconds)
        context.broker.ack(task.delivery)
        context.metrics.attempt("retried", failure.reason)
        _log.warning(
            "attempt_failed", reason=failure.reason, message=failure.message, retry_seconds=delay_seconds
        )

    def _set_aside(
        self,
        task: TaskDelivery,
        seconds: int,
        failed_attempt: int | None,
        more: dict[str, headers.HeaderValue],
    ) -> None:
        """Let a message wait in a delay step as it is: ``failed_attempt`` is the one that it came behind, if any."""
        own: dict[str, headers.HeaderValue] = {headers.RUN: task.ref.run, **more}
        if failed_attempt is not None:
            own[headers.ATTEMPT] = failed_attempt
        self._delay(task.delivery, seconds, own)
        self._context.broker.ack(task.delivery)

    def _delay(self, delivery: Delivery, seconds: int, own: dict[str, headers.HeaderValue]) -> None:
        config = self._context.config
        copy = copy_of(delivery, names.retry_step(seconds), config.queue, own, pool_uid=config.pool.uid)
        self._until_published(lambda: self._context.publisher.copy(copy))

    def _end(self, task: TaskDelivery, ending: Ending, by: AttemptInfo, attempts: int) -> None:
        context, delivery = self._context, task.delivery
        now = context.clock.now()
        around = Surroundings(
            worker=context.worker,
            owner=task.owner,
            callback_url=callback_for(task.body, context.config),
            enqueued=enqueued_at(delivery.headers, delivery.properties, now),
            ran=Ran(context.about.version, context.about.image, context.about.digest),
            gpus=context.config.gpus,
        )
        record = end_record(task.ref, ending, by, around, now)
        with context.metrics.phase("finish"):
            standing = self._until_stored(lambda: context.ledger.end(record))
            won = standing.nonce == record.nonce
            if not (won and by.number <= 1 and ending.outcome == "succeeded"):
                self._sweep(task, standing)
            dead_letter = won and ending.outcome == "dead"
            self._publish_end(task, standing, dead_letter=dead_letter, attempts=attempts)
        if not won:
            _log.info("end_was_there", outcome=standing.outcome, attempt=standing.attempt)
            return
        context.metrics.task(ending.outcome, ending.reason)
        if (waited := by.waited(around.enqueued)) is not None:
            context.metrics.waited(waited)
        log = _log.info if ending.outcome in {"succeeded", "cancelled", "expired"} else _log.warning
        log(
            "task_ended",
            outcome=ending.outcome,
            reason=ending.reason,
            message=ending.message,
            attempts=attempts,
        )

    def _publish_end(self, task: TaskDelivery, end: EndRecord, *, dead_letter: bool, attempts: int) -> None:
        publisher = self._context.publisher
        if not end.worker and end.callback_url is None:
            # The gateway has ended it without its message, and only that tells where the end is announced.
            end = end.model_copy(update={"callback_url": callback_for(task.body, self._context.config)})
        uncopied: NoCopy | None = None
        if dead_letter:
            reason = reason_headers(end.reason, end.message, attempts=attempts) | {
                headers.TASK_KEY: end.task_key,
                headers.RUN: end.run,
                headers.ENDED_AT: end.ended_at.isoformat(),
            }
            try:
                self._until_published(lambda: publisher.dead_letter(task.delivery, reason))
            except NoCopy as error:
                if task.info.redelivered:
                    raise  # told before
                uncopied = error
        self._until_published(lambda: publisher.ended(end))
        self._until_published(lambda: publisher.callback(end))
        if uncopied is not None:
            raise uncopied
        self._context.broker.ack(task.delivery)

    def _sweep(self, task: TaskDelivery, end: EndRecord) -> None:
        """Delete results that no end record lists: those of attempts that were lost, or that lost a race."""
        run = keys.run_prefix(self._context.config.store.prefix, task.ref.key, task.ref.run)
        keep = {output.key for output in end.outputs}
        try:
            found = [key for key in self._context.store.keys(f"{run}a") if key not in keep]
            stray = [key for key in found if not key.startswith(f"{run}attempts/")]
            if stray:
                self._context.store.delete(stray)
        except StorageError as error:
            _log.info("results_not_swept", reason=error.reason)


def _ended_by(work: AttemptInHand, claims: Sequence[Claim]) -> AttemptInfo:
    """The attempt in hand, with the others of its run."""
    own = work.held.claim
    others = (claim for claim in claims if claim.attempt != own.attempt)
    return AttemptInfo(own.attempt, own.nonce, (*others, own), work.validated, work.trace)


def _latest(claims: Sequence[Claim]) -> int:
    return max((claim.attempt for claim in claims), default=0)


def _nonce() -> str:
    return uuid.uuid4().hex
