"""A pass over dead letters: each message is taken once, and acknowledged when what follows is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from genpool_core import timing
from genpool_core.errors import BrokerError
from genpool_core.identity import TaskRef
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_core.messages.base import PoolRef
from genpool_gateway.dead_letters.decide import (
    Action,
    Letter,
    LetterQueues,
    Selection,
    Step,
    plan,
    read_letter,
)

_log = structlog.get_logger(__name__)
#: Messages that wait for their confirmation at the same time.
_GROUP = 256


class Reading(Protocol):
    """What a pass holds of a queue."""

    def messages(self) -> Sequence[Delivery]:
        """The messages that are there, in order, as many as are held at once; raises BrokerError."""

    def whole(self) -> bool:
        """Whether these were all; raises BrokerError."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge; raises BrokerError."""


class DeadQueues(Protocol):
    """The dead-letter queues of all pools and intakes."""

    def reading(self, queues: LetterQueues, most: int | None = None) -> AbstractContextManager[Reading]:
        """Take the messages of a dead-letter queue, or the oldest; what is not acknowledged goes back.

        Raises BrokerError.
        """

    def publish(self, queues: LetterQueues, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        """Publish in their vhost, in order; raises nothing."""


@dataclass
class Done:
    """What a pass did."""

    tasks: list[str] = field(default_factory=list)
    """Ids of what was replayed or discarded; a task of several letters is there several times."""
    others: int = 0
    """Messages that are no task."""
    kept: int = 0
    """Messages that stay."""
    more: bool = False
    """Whether there are others behind those that one pass holds."""
    no_room: list[str | None] = field(default_factory=list)
    """Those among them that were to be replayed, and for which the work queue has no room."""


class DeadLetters:
    """Does what is asked for; one pass after the other for each queue."""

    def __init__(
        self,
        queues: DeadQueues,
        replayed: Callable[[PoolRef, TaskRef], None],
        erased: Callable[[Collection[str]], Collection[str]],
    ) -> None:
        """``replayed``: is told of each task that is in its work queue again, with its new run.

        ``erased``: is asked before, and tells which tasks must not run again, since their contents were or are being
        deleted.
        """
        self._queues = queues
        self._replayed = replayed
        self._erased = erased

    def look(self, queues: LetterQueues, most: int) -> tuple[list[Letter], bool]:
        """The oldest dead letters, and whether there are more.

        They go back afterwards, in an order that is RabbitMQ's. Raises BrokerError.
        """
        with self._queues.reading(queues, most) as reading:
            letters = [read_letter(delivery, queues.pool_uid) for delivery in reading.messages()]
            return letters, not reading.whole()

    def strangers(self, queues: LetterQueues) -> tuple[list[Letter], bool]:
        """The dead letters of a pool that are no tasks, and whether there are messages that the pass did not hold.

        All are taken, and go back to their places. Raises BrokerError.
        """
        with self._queues.reading(queues) as reading:
            letters = [read_letter(delivery, queues.pool_uid) for delivery in reading.messages()]
            return [letter for letter in letters if letter.id is None], not reading.whole()

    def apply(
        self,
        queues: LetterQueues,
        selection: Selection,
        action: Action,
        take: Callable[[int], int] = lambda wanted: wanted,
    ) -> Done:
        """Go through the dead letters of a pool or an intake. ``take``: of how many replays there is room for how many.

        Raises
        ------
        BrokerError
            The pass ended early: what was done is done, and the other messages are in the queue again.
        """
        done = Done()
        with self._queues.reading(queues) as reading:
            letters = [read_letter(delivery, queues.pool_uid) for delivery in reading.messages()]
            done.more = not reading.whole()
            steps = plan(letters, selection, action, queues, take)
            chosen = [step for step in steps if step.chosen]
            # The others are not acknowledged, and go back to their places.
            done.kept = len(steps) - len(chosen)
            done.no_room = [step.letter.id for step in steps if step.no_room]
            for start in range(0, len(chosen), _GROUP):
                self._group(queues, reading, chosen[start : start + _GROUP], action, done)
        return done

    def _group(
        self, queues: LetterQueues, reading: Reading, steps: Sequence[Step], action: Action, done: Done
    ) -> None:
        if action is Action.REPLAY:
            steps = self._without_erased(steps, done)
        messages = [step.publish for step in steps if step.publish is not None]
        futures = iter(self._queues.publish(queues, messages))
        troubles = [None if step.publish is None else _trouble(next(futures)) for step in steps]
        # What was published goes, or it would be there twice; what was not stays.
        settled = [step for step, trouble in zip(steps, troubles, strict=True) if trouble is None]
        reading.ack([step.letter.delivery for step in settled])
        for step in settled:
            self._note(step, queues.pool, action, done)
        first = next((trouble for trouble in troubles if trouble is not None), None)
        if first is not None:
            raise first

    def _without_erased(self, steps: Sequence[Step], done: Done) -> list[Step]:
        """Those of tasks that may run again; the others stay, until their deletion takes them."""
        tasks = {step.letter.ref.key for step in steps if step.letter.ref is not None}
        erased = self._erased(tasks) if tasks else ()
        left = [step for step in steps if step.letter.ref is None or step.letter.ref.key not in erased]
        done.kept += len(steps) - len(left)
        return left

    def _note(self, step: Step, pool: PoolRef | None, action: Action, done: Done) -> None:
        letter, ref = step.letter, step.letter.ref
        if letter.id is None:
            done.others += 1
        else:
            done.tasks.append(letter.id)
            if action is Action.REPLAY and ref is not None and pool is not None:
                self._replayed(pool, replace(ref, run=ref.run + 1))


def _trouble(published: Future[None]) -> BrokerError | None:
    try:
        published.result(timing.PUBLISH_SECONDS)
    except BrokerError as error:
        return error
    except FutureTimeoutError:
        return BrokerError("the broker has not confirmed in time.", uncertain=True)
    return None
