"""Proof, before anything is taken from the queue, that the store's conditional put is atomic.

Everything about one end rests on it. A store that ignores ``If-None-Match`` answers "created" to everybody.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import structlog

from genpool_adapters.objectstore.port import ObjectStore, Put
from genpool_core.errors import SettingsError, StorageError
from genpool_core.ledger.keys import probe_key

_log = structlog.get_logger(__name__)
RACERS = 8
_TRIES = 3


def prove_conditional_put(store: ObjectStore, prefix: str) -> None:
    """Let several puts race for one key, several times over if the store only says "conflict".

    Raises
    ------
    SettingsError
        More than one won, or none ever did.
    StorageError
        The store does not answer.
    """
    for _ in range(_TRIES):
        key = probe_key(prefix, uuid.uuid4().hex)
        try:
            winners = _race(store, key)
        finally:
            _delete(store, key)
        if winners == 1:
            return
        if winners > 1:
            raise SettingsError(
                f"the bucket's store is not safe: {winners} of {RACERS} writers were told that they alone created one "
                "object. Use a store with atomic conditional writes (If-None-Match: *), or turn them on.",
                reason="StoreNotAtomic",
            )
    raise SettingsError(
        "the bucket's store refuses every conditional write (If-None-Match: *): use one that accepts them.",
        reason="StoreNotAtomic",
    )


def _delete(store: ObjectStore, key: str) -> None:
    """A key that may not delete is no reason to do no work: the probe is a few bytes."""
    try:
        store.delete([key])
    except StorageError as error:
        _log.info("probe_not_deleted", key=key, reason=error.reason, message=error.message)


def _race(store: ObjectStore, key: str) -> int:
    with ThreadPoolExecutor(RACERS, thread_name_prefix="probe") as pool:
        answers = list(
            pool.map(lambda racer: store.create(key, f'{{"racer": {racer}}}'.encode()), range(RACERS))
        )
    return sum(answer is Put.CREATED for answer in answers)
