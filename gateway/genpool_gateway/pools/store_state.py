"""What is known of the buckets and folders of pools: whether the gateway can do its work there. Pure.

A store that refuses and one that is out of order are told apart: the first waits for a person, the second may be back
in a moment. What was not looked at yet is not known, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from genpool_adapters.objectstore.access_check import AccessFailure, StoreAccess
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.workerconfig import S3Config, StoreConfig

#: Looks that begin at the same moment: a gateway with many pools answers requests while it starts.
AT_ONCE = 4
#: Stores of which the readiness answer tells.
_TOLD = 3
#: A look that its own time-outs have not ended by then hangs.
_OVERDUE_SECONDS = 2 * timing.STORE_CHECK_SECONDS
_COULD_NOT = {
    StoreAccess.READ: "read",
    StoreAccess.LIST: "list objects",
    StoreAccess.CREATE: "write",
    StoreAccess.DELETE: "delete",
}
_UNTIL_CORRECTED = {
    StoreAccess.READ: "links to its results may lead to an error, and a task that waits is not ended",
    StoreAccess.LIST: "a task that waits is not ended, and nothing is deleted there",
    StoreAccess.CREATE: "a task that waits is not ended, and no file that comes inside a task is taken",
    StoreAccess.DELETE: "nothing is deleted there",
}


class StoreKey(NamedTuple):
    """What tells looks apart: pools with the same one share them. Rights may hold for some prefixes only."""

    endpoint: str
    place: str
    prefix: str
    region: str


def store_key(config: StoreConfig) -> StoreKey:
    """That of a store."""
    endpoint, place = config.address
    return StoreKey(
        endpoint or "", place, config.prefix, config.region if isinstance(config, S3Config) else ""
    )


class StoreState(StrEnum):
    """How a look at a store ended."""

    WORKS = "works"
    REFUSED = "refused"
    """Somebody has to change keys, rights, the bucket or the folder."""
    UNAVAILABLE = "unavailable"
    """It did not answer, or is out of order."""


_ANSWERED = {StoreState.WORKS: "worked", StoreState.REFUSED: "refused the gateway"}


@dataclass(frozen=True)
class StoreLook:
    """A look. ``failure``: None where the gateway may do there all that it does."""

    at: datetime
    failure: AccessFailure | None

    @property
    def state(self) -> StoreState:
        """How it ended."""
        if self.failure is None:
            return StoreState.WORKS
        return StoreState.REFUSED if self.failure.error.refusal else StoreState.UNAVAILABLE


@dataclass(frozen=True)
class KnownStore:
    """The newest look, and the newest one to which the store gave an answer; None where none did."""

    newest: StoreLook
    answered: StoreLook | None


def learned(before: KnownStore | None, look: StoreLook) -> KnownStore:
    """What is known after a look."""
    if look.state is not StoreState.UNAVAILABLE:
        return KnownStore(look, look)
    return KnownStore(look, None if before is None else before.answered)


def overdue(known: KnownStore | None, store: StoreConfig, waited: float, now: datetime) -> KnownStore | None:
    """What is known while a look has been under way for ``waited`` seconds.

    A disk that hangs ends no look: what was found before it is not what is known now.
    """
    if waited < _OVERDUE_SECONDS:
        return known
    message = f"{store} has not answered for {waited:.0f} s: look at its server, its disk and the network."
    began = now - timedelta(seconds=waited)
    return learned(known, StoreLook(began, AccessFailure(StoreAccess.READ, StorageError(message))))


def trouble_of(known: KnownStore | None) -> str | None:
    """What keeps the gateway from its work in a store, and what to do; None where nothing is known to."""
    if known is None or known.newest.failure is None:
        return None
    look, failure = known.newest, known.newest.failure
    what = _COULD_NOT[failure.access]
    sentences = [
        f"At its last look ({_shown(look.at)}) the gateway could not {what} there: {failure.error.message}"
    ]
    if look.state is StoreState.REFUSED:
        sentences.append(f"Until that is corrected, {_UNTIL_CORRECTED[failure.access]}.")
    else:
        if known.answered is not None:
            sentences.append(f"At {_shown(known.answered.at)} it {_ANSWERED[known.answered.state]}.")
        sentences.append("Until it is back, a task that waits is not ended.")
    return " ".join(sentences)


def keeps_from_ending(known: KnownStore | None) -> str | None:
    """Why no end record can be written before somebody changes something; None where that is not known."""
    if known is None or known.newest.failure is None or known.newest.state is not StoreState.REFUSED:
        return None
    return None if known.newest.failure.access is StoreAccess.DELETE else trouble_of(known)


def remark_of(stores: Sequence[KnownStore]) -> str | None:
    """For the readiness answer; None where no trouble is known."""
    troubles = [trouble for known in stores if (trouble := trouble_of(known)) is not None]
    if len(troubles) > _TOLD:
        more = f"And {len(troubles) - _TOLD} more: see store in GET /v1/pools."
        troubles = [*troubles[:_TOLD], more]
    return " ".join(troubles) or None


def due(
    used: Collection[StoreKey], begun: Mapping[StoreKey, float], busy: Collection[StoreKey], now: float
) -> list[StoreKey]:
    """Which stores to look at now, those first that were looked at the longest ago.

    ``begun``: when the last look at a store began; ``now``: the same clock, in seconds. A store at which a look is
    under way is left alone, however long that takes.
    """
    waiting = [
        key
        for key in used
        if key not in busy and (key not in begun or now - begun[key] >= timing.STORE_CHECK_SECONDS)
    ]
    return sorted(waiting, key=lambda key: begun.get(key, float("-inf")))[:AT_ONCE]


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
