"""Tasks that were published and wait for the broker's confirmation, and who waits for each."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace

from genpool_core.errors import BrokerError, GenPoolError
from genpool_gateway.accepting.refusals import NotPublished, Unconfirmed
from genpool_gateway.tasks.record import TaskRecord, TaskState


@dataclass(frozen=True)
class Outcome:
    """A task that was accepted, now or before (``repeated``)."""

    record: TaskRecord
    repeated: bool


@dataclass
class _Flight:
    record: TaskRecord
    fresh: bool
    """Whether this is the first time that it was published: only then a refusal means that nobody has it."""
    waiters: list[tuple[Future[Outcome], bool]] = field(default_factory=list)


class Accepting(Future[Outcome]):
    """A task that is being accepted."""

    def __init__(self, task: str) -> None:
        super().__init__()
        self.task = task
        """Its id: that of the task that was stored before, once a repeat is known to be one."""


@dataclass
class Settled:
    """What the store must be told."""

    published: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class InFlight:
    """Used by the accepting thread and by the broker's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._settled = Settled()

    def __len__(self) -> int:
        return len(self._flights)

    def begin(self, record: TaskRecord, waiter: Future[Outcome] | None, *, fresh: bool) -> bool:
        """Wait for a task's confirmation. True: it must be published; False: it is under way already."""
        with self._lock:
            known = self._flights.get(record.id)
            flight = known or self._flights.setdefault(record.id, _Flight(record, fresh))
            if waiter is not None:
                flight.waiters.append((waiter, not fresh))
            return known is None

    def ended(self, task: str, published: Future[None]) -> None:
        """The broker has answered for a task, or cannot any more."""
        error = published.exception()
        with self._lock:
            flight = self._flights.pop(task)
            if error is None:
                self._settled.published.append(task)
            elif flight.fresh and not _uncertain(error):
                self._settled.refused.append(task)
        for waiter, repeated in flight.waiters:
            _answer(waiter, flight, error, repeated=repeated)

    def take_settled(self) -> Settled:
        """What has been settled since the last call."""
        with self._lock:
            settled, self._settled = self._settled, Settled()
            return settled

    def give_back(self, settled: Settled) -> None:
        """The store could not be told: it is told later."""
        with self._lock:
            self._settled.published += settled.published
            self._settled.refused += settled.refused


def _uncertain(error: BaseException) -> bool:
    return not isinstance(error, BrokerError) or error.uncertain


def _answer(waiter: Future[Outcome], flight: _Flight, error: BaseException | None, *, repeated: bool) -> None:
    with suppress(InvalidStateError):
        if error is None:
            record = replace(flight.record, state=TaskState.QUEUED)
            waiter.set_result(Outcome(record, repeated))
        else:
            waiter.set_exception(_refusal(flight, error))


def _refusal(flight: _Flight, error: BaseException) -> Exception:
    text = error.message if isinstance(error, GenPoolError) else "the broker's answer could not be read."
    if flight.fresh and not _uncertain(error):
        return NotPublished(f"the task was not put into its queue, and nothing of it is kept: {text}")
    return Unconfirmed(
        f"it is not known whether the task is in its queue ({text}) It is published again, and done once: ask for it "
        "by its id, or send it again under the same Idempotency-Key.",
        task=flight.record.id,
    )
