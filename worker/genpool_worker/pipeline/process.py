"""The way of one task through the pipeline: decide, claim, attempt, settle."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager

import structlog

from genpool_adapters.ledger import LedgerState
from genpool_core import timing
from genpool_core.errors import AttemptFailed, GenPoolError, StorageError, TaskFailure, UnreadableLedger
from genpool_core.ledger.decide import Bury, Park, PublishAgain, Start, decide
from genpool_core.ledger.records import Claim
from genpool_core.tasks.check import ValidatedTask, validate
from genpool_core.tasks.decode import Decoded, TaskDelivery, Undecodable, UnidentifiedTask
from genpool_worker.context import WorkerContext
from genpool_worker.errors import Cancelled, ComfyUIError, HandBack, NodeFailed, PromptRefused
from genpool_worker.ledger.lease import HeldClaim
from genpool_worker.pipeline.attempt import Attempt, Told
from genpool_worker.pipeline.end_record import AttemptInHand, Ending
from genpool_worker.pipeline.settle import WORKFLOW_UNAVAILABLE, Settler

_log = structlog.get_logger(__name__)
#: Claims that others won in a row before the store is called unreliable.
_RACES = 20
OWN_FAULT = "the worker met a fault of its own: its log has the traceback. Please report it."


class Processor:
    """Takes one delivery after the other, each to its end."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._settler = Settler(context)

    def put_off(self, decoded: Decoded) -> bool:
        """Put a task off whose workflow ComfyUI cannot run, without a look at its ledger. Whether it was.

        A message that was delivered before may have an end that was not published: that one is processed. Raises as
        ``process`` does.
        """
        if not isinstance(decoded, TaskDelivery) or decoded.info.redelivered:
            return False
        availability = self._context.availability
        if not availability.unavailable or decoded.put_off >= len(timing.PUT_OFF_STEPS):
            return False
        with self._bound(decoded):
            try:
                validated = self._validated(decoded)
            except TaskFailure:
                return False
            obstacle = availability.obstacle(validated.workflow, validated.bound)
            if obstacle is not None:
                self._settler.put_off(decoded)
        return obstacle is not None

    def process(self, decoded: Decoded) -> None:
        """Bring a delivery to an end: acknowledged, or requeued.

        Raises
        ------
        StorageError
            The store does not answer and nothing was begun: the delivery is still in hand.
        HandBack
            The worker drains: the delivery is still in hand, and nothing is claimed.
        Refused
            What settles it is refused for good: the delivery is still in hand.
        NoCopy
            It must be published again, and the broker accepts no copy: the delivery is still in hand.
        """
        match decoded:
            case Undecodable(delivery, failure):
                self._settler.reject(delivery, failure)
            case UnidentifiedTask():
                self._settler.stamp(decoded)
            case TaskDelivery():
                with self._bound(decoded), self._context.cancellation.holding(decoded.ref):
                    self._task(decoded)

    @staticmethod
    def _bound(task: TaskDelivery) -> AbstractContextManager[object]:
        """What is logged meanwhile names the task."""
        ref = task.ref
        return structlog.contextvars.bound_contextvars(task_key=ref.key, task_id=ref.task_id, run=ref.run)

    def _task(self, task: TaskDelivery) -> None:
        try:
            self._decide(task)
        except UnreadableLedger as error:
            self._settler.reject(task.delivery, TaskFailure(error.message, reason=error.reason))

    def _decide(self, task: TaskDelivery) -> None:
        for _ in range(_RACES):
            state = self._context.ledger.read(task.ref.key, task.ref.run)
            decision = decide(
                state.claims,
                state.end,
                task.info,
                ages=state.ages,
                worker=self._context.worker,
                max_attempts=self._context.config.max_attempts,
                now=self._context.clock.now(),
            )
            match decision:
                case PublishAgain():
                    self._settler.publish_again(task, decision)
                case Park():
                    self._settler.park(task, decision)
                case Bury():
                    self._settler.bury(task, decision, state.claims)
                case Start(attempt):
                    if not self._start(task, attempt, state):
                        # Another worker began this attempt at the same moment: its claim is in the ledger now.
                        continue
            return
        raise StorageError(
            "claims are refused and then not found: the store's conditional put is not reliable."
        )

    def _start(self, task: TaskDelivery, attempt: int, state: LedgerState) -> bool:
        """Work on a task, unless another worker claims the attempt first (False)."""
        try:
            validated = self._validated(task)
            obstacle = self._context.availability.obstacle(validated.workflow, validated.bound)
            if obstacle is not None and self._may_wait(task, obstacle):
                self._settler.put_off(task)
                return True
        except TaskFailure as failure:
            self._settler.refuse(task, failure, state.claims)
            return True
        claim = Claim(
            task_key=task.ref.key,
            run=task.ref.run,
            attempt=attempt,
            nonce=uuid.uuid4().hex,
            worker=self._context.worker,
            owner=task.owner,
            claimed_at=self._context.clock.now(),
            timeout_seconds=validated.timeout_seconds,
        )
        if not self._context.ledger.claim(claim):
            return False
        with structlog.contextvars.bound_contextvars(attempt=attempt):
            held = HeldClaim(self._context.ledger, claim, self._context.clock)
            self._claimed(task, held, validated, state.claims)
        return True

    @staticmethod
    def _may_wait(task: TaskDelivery, obstacle: str) -> bool:
        """Whether a task is put off once more. Raises TaskFailure where it waited long enough."""
        if task.put_off < len(timing.PUT_OFF_STEPS):
            return True
        hours = round(sum(timing.PUT_OFF_STEPS) / 3600)
        raise TaskFailure(
            f"ComfyUI could not run the workflow, and the task waited for {hours} hours. {obstacle}",
            reason=WORKFLOW_UNAVAILABLE,
        )

    def _validated(self, task: TaskDelivery) -> ValidatedTask:
        try:
            return validate(task.body, self._context.config, self._context.catalog, owner=task.owner)
        except GenPoolError:
            raise
        except Exception as error:
            # Requeued it would come again for ever: a task that trips us before its claim ends here.
            _log.exception("task_not_validated")
            raise TaskFailure(OWN_FAULT, reason="InternalError") from error

    def _claimed(
        self, task: TaskDelivery, held: HeldClaim, validated: ValidatedTask, earlier: tuple[Claim, ...]
    ) -> None:
        claim = held.claim
        _log.info("task_claimed", workflow=validated.workflow_name)
        attempt = Attempt(self._context, claim, validated)
        held.run_began = lambda: attempt.trace.started
        work = AttemptInHand(held, validated, attempt.trace, earlier)
        try:
            with self._context.renewing(held):
                self._context.publisher.claimed(task.ref, claim.attempt, validated.workflow_name)
                self._attempt(task, work, attempt)
        except HandBack as reason:
            if self._context.cancellation.decide():
                # The next worker would run it.
                self._cancel(task, work, attempt)
            else:
                self._settler.release(task, work, reason.message)
        except Cancelled:
            self._cancel(task, work, attempt)
        finally:
            attempt.clean()

    def _cancel(self, task: TaskDelivery, work: AttemptInHand, attempt: Attempt) -> None:
        """End a cancelled task, and then wait for ComfyUI to stop its prompt."""
        held = self._context.cancellation.held
        try:
            if held is not None:
                self._settler.cancel(task, work, Ending(held.outcome, held.reason, held.message or ""))
        except HandBack as reason:
            self._settler.release(task, work, reason.message)
        else:
            attempt.wait_until_stopped()

    def _attempt(self, task: TaskDelivery, work: AttemptInHand, attempt: Attempt) -> None:
        publisher, number = self._context.publisher, work.held.claim.attempt
        told = Told(
            lambda report: publisher.progress(task.ref, number, report),
            lambda output: publisher.output(task.ref, number, output),
            lambda preview: publisher.preview(task.ref, number, preview),
        )
        conclude = self._context.cancellation.conclude
        try:
            outputs = attempt.run(told)
        except (PromptRefused, NodeFailed) as failure:
            conclude()
            self._prompt_failed(task, work, failure)
        except TaskFailure as failure:
            conclude()
            self._settler.fail(task, work, failure)
        except GenPoolError:
            raise
        except Exception:  # noqa: BLE001 - logged with its traceback
            # A fault of ours: told in full to the log, in one sentence to the user, and counted as an attempt.
            _log.exception("attempt_crashed")
            conclude()
            fault = AttemptFailed(OWN_FAULT, reason="InternalError", retryable=True)
            self._settler.fail(task, work, fault)
        else:
            conclude()
            self._context.availability.worked(work.validated.workflow, work.validated.bound)
            self._settler.succeed(task, work, outputs)

    def _prompt_failed(
        self, task: TaskDelivery, work: AttemptInHand, failed: PromptRefused | NodeFailed
    ) -> None:
        """By a fault of the task's, or because ComfyUI cannot run the workflow at all."""
        failure: TaskFailure = failed
        validated = work.validated
        try:
            obstacle = self._context.availability.learn(validated.workflow, validated.bound, failed)
            if obstacle is not None and self._may_wait(task, obstacle):
                self._settler.put_off(task, work)
                return
        except TaskFailure as waited:
            failure = waited
        except ComfyUIError as error:
            # Whose fault it is cannot be told now: the task is tried again.
            failure = AttemptFailed(error.message, reason=error.reason, retryable=True)
        self._settler.fail(task, work, failure)
