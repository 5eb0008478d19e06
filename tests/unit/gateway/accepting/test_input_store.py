"""Inputs on their way to the bucket: in it before the future ends, and one bucket that hangs stops no other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest

from genpool_core.errors import SettingsError, StorageError, TaskStoreError
from genpool_core.workerconfig import S3Config
from genpool_gateway.accepting.input_store import MOST, InputStore
from genpool_gateway.accepting.refusals import Overloaded, TooLarge
from genpool_gateway.accepting.set_apart import Input
from genpool_gateway.tasks.places import LooseInput
from unit.gateway.samples import NOW

S3 = S3Config(bucket="results", prefix="p/")
OTHER = S3Config(bucket="other", endpoint="http://s3")
INPUT = Input("ab" * 32, b"a picture", "image/png")


class Buckets:
    """Buckets by name; a fault instead, or a gate that each put waits at."""

    def __init__(self, *listed: str, fault: Exception | None = None) -> None:
        self.listed = listed
        self.fault = fault
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.closed: set[str] = set()
        self.gate = threading.Event()

    def of(self, s3: S3Config) -> Any:  # noqa: ANN401 - as much of a bucket as is used
        if isinstance(self.fault, SettingsError):
            raise self.fault
        return Bucket(self, s3.bucket) if s3.bucket in self.listed else None


class Bucket:
    def __init__(self, buckets: Buckets, name: str) -> None:
        self._buckets = buckets
        self._name = name

    def put(self, key: str, data: bytes, content_type: str) -> None:
        if self._name in self._buckets.closed:
            assert self._buckets.gate.wait(10)
        if self._buckets.fault is not None:
            raise self._buckets.fault
        self._buckets.objects[f"{self._name}/{key}"] = (data, content_type)


class Loose:
    """The task store's note of what was put."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.noted: list[LooseInput] = []

    def note(self, inputs: Sequence[LooseInput]) -> None:
        if self.away:
            raise TaskStoreError("the database is away.")
        self.noted += inputs


def _store(buckets: Buckets, loose: Loose | None = None) -> InputStore:
    return InputStore(cast("Any", buckets), cast("Any", loose or Loose()), lambda: NOW)


def test_they_lie_below_the_tasks_key_with_their_type() -> None:
    buckets = Buckets("results")
    _store(buckets).put(S3, "k" * 40, [INPUT]).result(5)
    assert buckets.objects == {f"results/p/inputs/{'k' * 40}/{'ab' * 32}": (b"a picture", "image/png")}


def test_they_are_noted_before_they_are_put() -> None:
    buckets, loose = Buckets("results", fault=StorageError("is away.")), Loose()
    with pytest.raises(StorageError):
        _store(buckets, loose).put(S3, "k", [INPUT]).result(5)
    assert loose.noted == [LooseInput(S3, f"p/inputs/k/{'ab' * 32}", NOW, task="k")]
    with pytest.raises(TaskStoreError):
        _store(buckets, Loose(away=True)).put(S3, "k", [INPUT]).result(5)


def test_a_bucket_that_is_not_listed_is_said_with_what_to_do() -> None:
    with pytest.raises(
        TooLarge, match=r"bucket other at http://s3 is not in gateway\.stores .* send files as links"
    ):
        _store(Buckets("results")).put(OTHER, "k", [INPUT]).result(5)


@pytest.mark.parametrize("fault", [StorageError("is away."), SettingsError("is set up wrong.")])
def test_a_bucket_that_fails_says_so(fault: Exception) -> None:
    with pytest.raises(StorageError, match=r"is away|is set up wrong"):
        _store(Buckets("results", fault=fault)).put(S3, "k", [INPUT]).result(5)


def test_a_bucket_that_hangs_takes_a_bounded_number_and_stops_no_other() -> None:
    buckets = Buckets("results", "other")
    buckets.closed.add("results")
    store = _store(buckets)
    waiting = [store.put(S3, str(number), [INPUT]) for number in range(MOST)]
    with pytest.raises(Overloaded, match="64 tasks wait for bucket results"):
        store.put(S3, "one-more", [INPUT])
    store.put(OTHER, "k", [INPUT]).result(5)
    buckets.gate.set()
    for each in waiting:
        each.result(5)
    store.put(S3, "one-more", [INPUT]).result(5)


def test_a_gateway_that_stops_puts_nothing_more() -> None:
    store = _store(Buckets("results"))
    store.put(S3, "k", [INPUT]).result(5)
    store.stop()
    with pytest.raises(Overloaded, match="stopping"):
        store.put(S3, "k", [INPUT])
