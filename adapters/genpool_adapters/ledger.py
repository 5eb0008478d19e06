"""The ledger of a task in the bucket: reading it, claiming an attempt, writing the one end.

Only conditional puts decide anything. A lost answer is resolved by reading: the own nonce means that the put
succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog
from pydantic import ValidationError

from genpool_adapters.objectstore.port import ObjectStore, Put
from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import StorageError, UnreadableLedger
from genpool_core.ledger import keys
from genpool_core.ledger.records import Claim, EndRecord

R = TypeVar("R", Claim, EndRecord)
TRIES = 6
#: Records that are read at the same time.
_READERS = 16
_log = structlog.get_logger(__name__)
_BACKOFF = Backoff(timing.LEDGER_RETRY_SECONDS, timing.LEDGER_RETRY_MOST_SECONDS, spread=0.0)


class Sleeper(Protocol):
    """Something that can wait."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True)
class LedgerState:
    """What the ledger says about a run."""

    claims: tuple[Claim, ...]
    end: EndRecord | None
    ages: Mapping[int, float] = field(default_factory=dict)
    """Seconds since each claim was written last, by attempt, by the store's clock."""


class Ledger:
    """Records of a pool's tasks. Every method raises StorageError and UnreadableLedger."""

    def __init__(self, store: ObjectStore, prefix: str, clock: Sleeper) -> None:
        self._store = store
        self._prefix = prefix
        self._clock = clock

    def read(self, key: str, run: int) -> LedgerState:
        """All claims and the end of a run."""
        found = self._store.keys(keys.claims_prefix(self._prefix, key, run))
        read = [self._get(item, Claim) for item in sorted(found) if keys.attempt_of(item) is not None]
        claims = [item for item in read if item is not None]
        end = self._get(keys.end_key(self._prefix, key, run), EndRecord)
        return LedgerState(
            claims=tuple(claim for claim, _ in claims),
            end=None if end is None else end[0],
            ages={claim.attempt: age for claim, age in claims},
        )

    def claim(self, claim: Claim) -> bool:
        """Try to take this attempt; False when another worker has it."""
        return self._create(self._key(claim), claim).nonce == claim.nonce

    def save(self, claim: Claim) -> None:
        """Write the own claim again: nobody else writes it."""
        self._store.put(self._key(claim), _json(claim))

    def save_soon(self, claim: Claim) -> None:
        """The same in one short try, where the store must hold up neither the lease nor a drain."""
        self._store.put_soon(self._key(claim), _json(claim))

    def end(self, record: EndRecord) -> EndRecord:
        """Write the end of a run, or find that it has one. Returns the end that stands."""
        return self._create(keys.end_key(self._prefix, record.task_key, record.run), record)

    def erase(self, key: str, erased: Callable[[EndRecord], EndRecord]) -> None:
        """Delete all objects of a task but its ends, which are written again as ``erased`` makes them.

        The ends come first: what stands in them is told to those who ask. Twice equals once.
        """
        found = self._store.keys(keys.task_prefix(self._prefix, key))
        found += self._store.keys(keys.inputs_prefix(self._prefix, key))
        ends = [item for item in found if keys.is_end(item)]
        for item in ends:
            standing = self._get(item, EndRecord)
            if standing is not None:
                self._store.put(item, _json(erased(standing[0])))
        self._store.delete([item for item in found if item not in ends])

    def ends(self) -> Iterator[EndRecord]:
        """The end records of all tasks, in no order; one that cannot be read is told in the log and left out.

        Reads them with several threads, so the store's is to be one that threads may share. Raises StorageError.
        """
        found = [key for key in self._store.keys(keys.tasks_prefix(self._prefix)) if keys.is_end(key)]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="ledger") as pool:
            yield from (end for end in pool.map(self._end_at, found) if end is not None)

    def _end_at(self, key: str) -> EndRecord | None:
        try:
            found = self._get(key, EndRecord)
        except UnreadableLedger as error:
            _log.warning("end_record_unreadable", key=key, message=error.message)
            return None
        return None if found is None else found[0]

    def _key(self, claim: Claim) -> str:
        return keys.claim_key(self._prefix, claim.task_key, claim.run, claim.attempt)

    def _create(self, key: str, record: R) -> R:
        """The record that stands at ``key`` afterwards."""
        trouble: StorageError | None = None
        for tries in range(1, TRIES + 1):
            try:
                if self._store.create(key, _json(record)) is Put.CREATED:
                    return record
            except StorageError as error:
                trouble = error
            # There already, another put under way, or an answer that was lost: what is there now tells.
            standing = self._get(key, type(record))
            if standing is not None:
                return standing[0]
            self._clock.sleep(_BACKOFF.seconds(tries))
        raise trouble or StorageError(
            f"the store does not decide who may write {key}: it answers conflict each time."
        )

    def _get(self, key: str, kind: type[R]) -> tuple[R, float] | None:
        """A record, and its age in seconds."""
        stored = self._store.get(key)
        if stored is None:
            return None
        try:
            return kind.model_validate_json(stored.data), stored.age_seconds
        except ValidationError:
            raise UnreadableLedger(
                f"{key} in the bucket is not a record that this version can read: look at it, and delete it if "
                "GenPool did not write it."
            ) from None


def _json(record: Claim | EndRecord) -> bytes:
    return record.model_dump_json().encode()
