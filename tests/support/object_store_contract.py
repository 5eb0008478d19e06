"""What every object store must do: one suite for a bucket and for a folder."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.conditional_put_check import prove_conditional_put
from genpool_adapters.objectstore.port import Beginning, ObjectStore, Put, Stored
from genpool_core import timing
from genpool_core.ledger import keys
from genpool_core.ledger.records import Claim, EndRecord
from support.waiting import wait_until

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
RACERS = 16
NAMES = ("日落 1.png", "a b+c%2F?#&=.json", "..a", ".hidden", "e\u0301", "\u00e9", "tab\there", "-", "~")


class NoSleep:
    def sleep(self, seconds: float) -> None:
        assert seconds >= 0


def held(store: ObjectStore, key: str) -> Stored:
    found = store.get(key)
    assert found is not None
    return found


def _claim(nonce: str, attempt: int = 1) -> Claim:
    return Claim(
        task_key="k", run=1, attempt=attempt, nonce=nonce, worker=nonce, claimed_at=NOW, timeout_seconds=1
    )


def _end(nonce: str) -> EndRecord:
    return EndRecord(
        task_key="k",
        task_id="1",
        run=1,
        attempt=1,
        nonce=nonce,
        outcome="succeeded",
        reason="Succeeded",
        message="made 1 file.",
        worker=nonce,
        ended_at=NOW,
    )


class ObjectStoreContract:
    """Inherited by a class, beside a fixture ``store``."""

    many = 1100
    """Keys that are listed at once: more than a page of the store."""

    @pytest.fixture
    def prefix(self) -> str:
        return f"{uuid.uuid4().hex}/"

    def test_objects(self, store: ObjectStore, prefix: str, tmp_path: Path) -> None:
        key = f"{prefix}a.json"
        assert store.get(key) is None
        assert store.create(key, b"1") is Put.CREATED
        assert store.create(key, b"2") is Put.EXISTS
        assert held(store, key).data == b"1"
        store.put(key, b"3")
        assert held(store, key).data == b"3"
        store.put_soon(key, b"")
        assert held(store, key).data == b""
        file = tmp_path / "f.png"
        file.write_bytes(bytes(range(256)) * 5000)
        store.put_file(f"{prefix}b/c/f.png", file, "image/png")
        assert held(store, f"{prefix}b/c/f.png").data == file.read_bytes()
        store.put_file(key, file, "image/png")
        assert held(store, key).data == file.read_bytes()
        store.delete([key, f"{prefix}b/c/f.png", f"{prefix}none", f"{prefix}no/ne"])
        assert store.keys(prefix) == []
        assert store.get(key) is None
        store.delete([])

    @pytest.mark.parametrize(
        ("data", "begins"), [(b"0123456789", b"0123"), (b"0123", b"0123"), (b"01", b"01"), (b"", b"")]
    )
    def test_how_an_object_begins(self, store: ObjectStore, prefix: str, data: bytes, begins: bytes) -> None:
        store.put(f"{prefix}a/b", data)
        assert store.beginning(f"{prefix}a/b", 4) == Beginning(begins, len(data))
        assert store.beginning(f"{prefix}a", 4) is None
        assert store.beginning(f"{prefix}a/c", 4) is None
        store.delete([f"{prefix}a/b"])

    @pytest.mark.parametrize("name", NAMES)
    def test_a_key_is_any_text(self, store: ObjectStore, prefix: str, name: str) -> None:
        key = f"{prefix}{name}/{name}"
        assert store.create(key, b"1") is Put.CREATED
        assert store.keys(f"{prefix}{name}/") == [key]
        assert held(store, key).data == b"1"
        store.delete([key])
        assert store.keys(prefix) == []

    def test_two_ways_to_write_a_letter_are_two_keys(self, store: ObjectStore, prefix: str) -> None:
        ways = [f"{prefix}e\u0301", f"{prefix}\u00e9"]
        assert [store.create(key, key.encode()) for key in ways] == [Put.CREATED, Put.CREATED]
        assert store.keys(prefix) == ways
        assert [held(store, key).data for key in ways] == [key.encode() for key in ways]
        store.delete(ways)

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("", ["a/1", "a/2/x", "ab", "b/1", "人/1"]),
            ("a", ["a/1", "a/2/x", "ab"]),
            ("a/", ["a/1", "a/2/x"]),
            ("a/2", ["a/2/x"]),
            ("a/2/x", ["a/2/x"]),
            ("c", []),
            ("c/d/", []),
            ("人", ["人/1"]),
        ],
    )
    def test_keys_are_found_by_how_they_begin(
        self, store: ObjectStore, prefix: str, asked: str, found: Sequence[str]
    ) -> None:
        written = [f"{prefix}{name}" for name in ("ab", "b/1", "人/1", "a/2/x", "a/1")]
        for key in written:
            store.put(key, b"1")
        assert store.keys(f"{prefix}{asked}") == [f"{prefix}{name}" for name in found]
        store.delete(written)

    def test_more_keys_than_a_page(self, store: ObjectStore, prefix: str) -> None:
        written = [f"{prefix}{number:04}" for number in range(self.many)]
        with ThreadPoolExecutor(RACERS) as pool:
            list(pool.map(lambda key: store.put(key, b"1"), written))
        assert store.keys(prefix) == written
        store.delete(written)
        assert store.keys(prefix) == []

    def test_a_directory_is_no_object(self, store: ObjectStore, prefix: str) -> None:
        store.put(f"{prefix}a/b", b"1")
        assert store.get(f"{prefix}a") is None
        store.delete([f"{prefix}a"])
        assert store.keys(prefix) == [f"{prefix}a/b"]
        store.delete([f"{prefix}a/b"])

    def test_one_of_many_creates(self, store: ObjectStore, prefix: str) -> None:
        for turn in range(5):
            key = f"{prefix}{turn}/x/y"
            with ThreadPoolExecutor(RACERS) as pool:
                answers = list(pool.map(lambda n, key=key: store.create(key, str(n).encode()), range(RACERS)))
            assert answers.count(Put.CREATED) == 1
            assert held(store, key).data == str(answers.index(Put.CREATED)).encode()
            store.delete([key])

    def test_creates_win_over_deletions_of_what_is_beside(self, store: ObjectStore, prefix: str) -> None:
        def both(number: int) -> Put:
            store.put(f"{prefix}d/e/{number}-gone", b"")
            store.delete([f"{prefix}d/e/{number}-gone"])
            return store.create(f"{prefix}d/e/{number}", b"1")

        with ThreadPoolExecutor(RACERS) as pool:
            assert set(pool.map(both, range(100))) == {Put.CREATED}
        found = store.keys(prefix)
        assert len(found) == 100
        store.delete(found)

    def test_puts_win_over_the_end_of_their_folder(self, store: ObjectStore, prefix: str) -> None:
        """Each object is the last of its folders now and then, so that these go while others come."""

        def one(number: int) -> None:
            key = f"{prefix}d/e/f/g/{number}"
            store.put(key, b"")
            store.delete([key])

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(one, range(300)))
        assert store.keys(prefix) == []

    def test_a_worker_takes_it(self, store: ObjectStore, prefix: str) -> None:
        prove_conditional_put(store, prefix)
        assert store.keys(prefix) == []

    def test_an_objects_age_is_by_the_stores_clock_and_begins_anew_with_each_write(
        self, store: ObjectStore, prefix: str
    ) -> None:
        key = f"{prefix}a.json"
        assert store.create(key, b"1") is Put.CREATED
        assert 0 <= held(store, key).age_seconds <= timing.STORE_CLOCK_SECONDS + 1
        wait_until(lambda: held(store, key).age_seconds, lambda age: age >= 3, "its age", seconds=30)
        store.put_soon(key, b"2")
        found = held(store, key)
        assert (found.data, found.age_seconds <= timing.STORE_CLOCK_SECONDS + 1) == (b"2", True)
        store.delete([key])

    def test_a_ledger_has_one_claim_and_one_end(self, store: ObjectStore, prefix: str) -> None:
        ledger = Ledger(store, prefix, NoSleep())
        workers = [f"w{number}" for number in range(RACERS)]
        with ThreadPoolExecutor(RACERS) as pool:
            won = list(pool.map(lambda worker: ledger.claim(_claim(worker)), workers))
            ends = list(pool.map(lambda worker: ledger.end(_end(worker)), workers))
        assert won.count(True) == 1
        winner = workers[won.index(True)]
        state = ledger.read("k", 1)
        assert [claim.nonce for claim in state.claims] == [winner]
        assert {end.nonce for end in ends} == {state.end.nonce if state.end else ""}
        assert [end.nonce for end in ledger.ends()] == [ends[0].nonce]
        ledger.save(_claim(winner).model_copy(update={"renewed_at": NOW}))
        assert ledger.read("k", 1).claims[0].renewed_at == NOW

    def test_an_erased_task_keeps_its_end_alone(self, store: ObjectStore, prefix: str) -> None:
        ledger = Ledger(store, prefix, NoSleep())
        ledger.claim(_claim("w"))
        ledger.end(_end("w"))
        written = [
            f"{keys.output_prefix(prefix, 'k', 1, 1, 'w')}a.png",
            keys.input_key(prefix, "k", "ab" * 32),
        ]
        for key in written:
            store.put(key, b"1")
        for _ in range(2):
            ledger.erase("k", lambda end: end.model_copy(update={"message": "erased."}))
            assert store.keys(prefix) == [keys.end_key(prefix, "k", 1)]
        (end,) = ledger.ends()
        assert end.message == "erased."
