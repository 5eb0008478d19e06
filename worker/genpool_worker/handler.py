"""The way of one delivery through the pipeline: read, decide, claim, attempt, end."""

from __future__ import annotations

import uuid

import structlog

from genpool_core.errors import AttemptFailed, GenPoolError, InvalidMessage, StorageError, TaskFailure
from genpool_core.ledger.decide import AnnounceAgain, Bury, Park, Start, decide
from genpool_core.ledger.records import Claim
from genpool_worker.attempt import Attempt
from genpool_worker.errors import HandBack, UnreadableLedger
from genpool_worker.finish import Finisher
from genpool_worker.lease import HeldClaim
from genpool_worker.ledger import State
from genpool_worker.parts import Parts
from genpool_worker.ports import Message
from genpool_worker.prepare import Prepared, prepare
from genpool_worker.receive import Delivered, Unnamed, receive

_log = structlog.get_logger(__name__)
#: Claims that others won in a row before the store is called confused.
_RACES = 20
_OWN_FAULT = "the worker met a fault of its own: its log has the traceback. Please report it."


class Handler:
    """Takes one message after the other, each to its end."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._finish = Finisher(parts)

    def handle(self, message: Message) -> None:
        """Bring a message to an end: acknowledged, or handed back.

        Raises
        ------
        StorageError
            The store does not answer and nothing was begun: the message is still in hand.
        HandBack
            The worker drains: the message is still in hand, and nothing is claimed.
        """
        try:
            received = receive(message, self._parts.config.pool.uid)
        except InvalidMessage as failure:
            self._finish.reject(message, failure)
            return
        if isinstance(received, Unnamed):
            self._finish.stamp(received)
            return
        with structlog.contextvars.bound_contextvars(
            task_key=received.key, task_id=received.task_id, run=received.run
        ):
            try:
                self._task(received)
            except UnreadableLedger as error:
                self._finish.reject(message, TaskFailure(error.message, reason=error.reason))

    def key_of(self, message: Message) -> str | None:
        """The key of a delivered task, for the worker's status."""
        try:
            received = receive(message, self._parts.config.pool.uid)
        except InvalidMessage:
            return None
        return received.key if isinstance(received, Delivered) else None

    def _task(self, task: Delivered) -> None:
        for _ in range(_RACES):
            state = self._parts.ledger.read(task.key, task.run)
            decision = decide(
                state.claims,
                state.end,
                task.delivery,
                worker=self._parts.worker,
                max_attempts=self._parts.config.max_attempts,
                now=self._parts.clock.now(),
            )
            if not isinstance(decision, Start):
                self._without_attempt(task, decision, state)
                return
            if self._start(task, decision.attempt, state):
                return
            # Another worker began this attempt at the same moment: its claim is in the ledger now.
        raise StorageError(
            "claims are refused and then not found: the store's conditional put is not reliable."
        )

    def _without_attempt(self, task: Delivered, decision: AnnounceAgain | Park | Bury, state: State) -> None:
        if isinstance(decision, AnnounceAgain):
            self._finish.announce_again(task, decision)
        elif isinstance(decision, Park):
            self._finish.park(task, decision)
        else:
            self._finish.bury(task, decision, state.claims)

    def _start(self, task: Delivered, attempt: int, state: State) -> bool:
        """Work on a task, unless another worker claims the attempt first (False)."""
        try:
            prepared = self._prepared(task)
        except TaskFailure as failure:
            self._finish.refuse(task, failure, state.claims)
            return True
        claim = Claim(
            task_key=task.key,
            run=task.run,
            attempt=attempt,
            nonce=uuid.uuid4().hex,
            worker=self._parts.worker,
            claimed_at=self._parts.clock.now(),
            timeout_seconds=prepared.timeout_seconds,
        )
        if not self._parts.ledger.claim(claim):
            return False
        with structlog.contextvars.bound_contextvars(attempt=attempt):
            self._claimed(task, HeldClaim(self._parts.ledger, claim, self._parts.clock), prepared)
        return True

    def _prepared(self, task: Delivered) -> Prepared:
        try:
            return prepare(task.body, self._parts.config, self._parts.catalog)
        except GenPoolError:
            raise
        except Exception as error:
            # Handed back it would come again for ever: a task that trips us before its claim ends here.
            _log.exception("task_not_prepared")
            raise TaskFailure(_OWN_FAULT, reason="InternalError") from error

    def _claimed(self, task: Delivered, held: HeldClaim, prepared: Prepared) -> None:
        claim = held.claim
        _log.info("task_claimed", workflow=prepared.workflow_name)
        attempt = Attempt(self._parts, claim, prepared)
        try:
            with self._parts.keeping(held):
                self._parts.announcer.claimed(task, claim.attempt, prepared.workflow_name)
                self._attempt(task, held, prepared, attempt)
        except HandBack as reason:
            self._finish.release(task, held, reason.message)
        finally:
            attempt.clean()

    def _attempt(self, task: Delivered, held: HeldClaim, prepared: Prepared, attempt: Attempt) -> None:
        def tell(value: float, node: str | None) -> None:
            self._parts.announcer.progress(task, held.claim.attempt, value, node)

        try:
            outputs = attempt.run(tell)
        except TaskFailure as failure:
            self._finish.fail(task, held, prepared, failure)
        except GenPoolError:
            raise
        except Exception:  # noqa: BLE001 - logged with its traceback
            # A fault of ours: told in full to the log, in one sentence to the user, and counted as an attempt.
            _log.exception("attempt_crashed")
            fault = AttemptFailed(_OWN_FAULT, reason="InternalError", retryable=True)
            self._finish.fail(task, held, prepared, fault)
        else:
            self._finish.succeed(task, held, prepared, outputs)
