"""Claims and ends by conditional put."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fakes.worker_ports import FakeStore, SharedStore
from fakes.worker_steps import FakeClock, Steps
from genpool_adapters.ledger import TRIES, Ledger
from genpool_adapters.objectstore.conditional_put_check import prove_conditional_put
from genpool_adapters.objectstore.port import Put
from genpool_core.errors import SettingsError, StorageError, UnreadableLedger
from genpool_core.ledger import keys
from genpool_core.ledger.records import Claim, Failure
from genpool_worker.ledger.lease import HeldClaim, LeaseRenewal
from support.waiting import wait_until

CLOCK = FakeClock()


def claim(nonce: str = "mine") -> Claim:
    return Claim(
        task_key="k", run=1, attempt=1, nonce=nonce, worker="w", claimed_at=CLOCK.now(), timeout_seconds=1
    )


class OddStore(FakeStore):
    """Answers a conditional put as it is told."""

    def __init__(self, answer: Callable[[int], Put | None]) -> None:
        self.shared = SharedStore()
        super().__init__(self.shared, Steps())
        self._answer = answer
        self.calls = 0

    def create(self, key: str, data: bytes) -> Put:
        self.calls += 1
        answer = self._answer(self.calls)
        return super().create(key, data) if answer is None else answer


def test_one_of_two_wins() -> None:
    store = FakeStore(SharedStore(), Steps())
    ledger = Ledger(store, "p/", CLOCK)
    assert ledger.claim(claim("a"))
    assert not ledger.claim(claim("b"))
    assert ledger.claim(claim("a"))


def test_conflict_means_again() -> None:
    store = OddStore(lambda call: Put.CONFLICT if call < 3 else None)
    assert Ledger(store, "", CLOCK).claim(claim())
    assert store.calls == 3


def test_conflict_for_ever() -> None:
    store = OddStore(lambda _call: Put.CONFLICT)
    with pytest.raises(StorageError, match="conflict"):
        Ledger(store, "", CLOCK).claim(claim())
    assert store.calls == TRIES


def test_a_record_that_is_none_of_ours() -> None:
    shared = SharedStore({keys.end_key("", "k", 1): b"<html>"})
    with pytest.raises(UnreadableLedger, match=r"end\.json"):
        Ledger(FakeStore(shared, Steps()), "", CLOCK).read("k", 1)


def test_other_objects_among_the_claims_are_ignored() -> None:
    shared = SharedStore({f"{keys.claims_prefix('', 'k', 1)}notes.txt": b"x"})
    assert Ledger(FakeStore(shared, Steps()), "", CLOCK).read("k", 1).claims == ()


def test_a_late_renewal_does_not_hide_a_failure() -> None:
    shared = SharedStore()
    ledger = Ledger(FakeStore(shared, Steps()), "", CLOCK)
    held = HeldClaim(ledger, claim(), CLOCK)
    held.renew()
    (renewed,) = ledger.read("k", 1).claims
    assert renewed.renewed_at is not None
    held.fail(Failure(reason="R", message="m", retryable=True, time=CLOCK.now()))
    written = len(shared.writes)
    held.renew()
    assert len(shared.writes) == written
    (failed,) = ledger.read("k", 1).claims
    assert failed.failure is not None


def test_a_claim_tells_since_when_its_run_goes_on_and_what_it_used() -> None:
    shared = SharedStore()
    ledger = Ledger(FakeStore(shared, Steps()), "", CLOCK)
    held = HeldClaim(ledger, claim(), CLOCK)
    held.renew()
    assert ledger.read("k", 1).claims[0].started_at is None
    began = CLOCK.now()
    held.run_began = lambda: began
    held.renew()
    assert ledger.read("k", 1).claims[0].started_at == began
    held.release(2.5)
    (released,) = ledger.read("k", 1).claims
    assert (released.released_at, released.started_at, released.gpu_seconds) == (CLOCK.now(), began, 2.5)


def test_a_renewal_that_fails_stops_nothing() -> None:
    steps = Steps()
    held = HeldClaim(Ledger(FakeStore(SharedStore(), steps), "", CLOCK), claim(), CLOCK)
    steps.fail_at = 1
    held.renew()
    held.renew()
    assert steps.names == ["store.put", "store.put"]


def test_a_claim_is_renewed_until_its_context_ends() -> None:
    steps = Steps()
    held = HeldClaim(Ledger(FakeStore(SharedStore(), steps), "", CLOCK), claim(), CLOCK)
    with LeaseRenewal(held, seconds=0.001):
        wait_until(
            lambda: len(steps.names), lambda puts: puts >= 3, "three renewals", seconds=10, pause=0.001
        )
    assert set(steps.names) == {"store.put"}
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_proof_of_an_atomic_store() -> None:
    store = OddStore(lambda _call: None)
    prove_conditional_put(store, "p/")
    assert not store.shared.objects


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (Put.CREATED, "not safe"),
        (Put.EXISTS, "every conditional write"),
        (Put.CONFLICT, "every conditional write"),
    ],
)
def test_proof_against_a_store(answer: Put, part: str) -> None:
    with pytest.raises(SettingsError, match=part) as caught:
        prove_conditional_put(OddStore(lambda _call: answer), "p/")
    assert caught.value.reason == "StoreNotAtomic"
