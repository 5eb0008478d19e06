"""Stores of pools are looked at when a pool uses them, and what is found is told; a store that hangs stops no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from genpool_core import timing
from genpool_core.errors import SettingsError, StorageError
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.pools.links import store_of
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.store_checks import StoreChecks
from support.pool_objects import pool_object, served
from unit.gateway.link_fakes import FakePools
from unit.gateway.samples import NOW


def pool(name: str = "photos", bucket: str = "results") -> ServedPool:
    return served(
        pool_object(name, queue=name, storage={"s3": {"bucket": bucket, "endpoint": "http://store:9000"}})
    )


@dataclass
class Bucket:
    """Fails as it is told."""

    fault: Exception | None = None

    def _asked(self, *_: object) -> None:
        if self.fault is not None:
            raise self.fault

    get = keys = create = delete = _asked


@dataclass
class World:
    pools: FakePools = field(default_factory=lambda: FakePools([pool()]))
    buckets: dict[str, Bucket] = field(default_factory=lambda: {"results": Bucket()})
    unusable: SettingsError | None = None
    seconds: float = 0.0
    begun: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.checks = StoreChecks(
            self.pools, cast("Any", self), self.now, begin=self.begun.append, clock=lambda: self.seconds
        )

    def of(self, config: StoreConfig) -> Bucket | None:
        if self.unusable is not None:
            raise self.unusable
        return self.buckets.get(config.place)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def look(self) -> None:
        """Look, and let every look that began end."""
        self.checks.look()
        while self.begun:
            self.begun.pop(0)()

    def state(self, name: str = "photos", bucket: str = "results") -> str:
        return self.checks.view(pool(name, bucket)).state


REFUSED = StorageError("the bucket refused (InvalidAccessKeyId): correct the Secret.", refusal=True)


def test_what_was_not_looked_at_is_not_known() -> None:
    world = World()
    assert world.state() == "unknown"
    assert world.checks.remark() is None
    world.look()
    assert world.state() == "works"
    assert world.checks.view(pool()).looked_at == NOW
    assert world.checks.remark() is None


def test_a_refusal_is_told_everywhere_and_keys_that_were_corrected_count() -> None:
    world = World(buckets={"results": Bucket(REFUSED)})
    world.look()
    view = world.checks.view(pool())
    assert view.state == "refused"
    assert REFUSED.message in str(view.message)
    assert world.checks.remark() == view.message
    store = store_of(pool())
    assert store is not None
    assert world.checks.keeps_from_ending(store) == view.message
    world.buckets["results"].fault = None
    world.look()
    assert world.state() == "refused", "it was looked at a moment ago"
    world.seconds += timing.STORE_CHECK_SECONDS
    world.look()
    assert world.state() == "works"
    assert (world.checks.remark(), world.checks.keeps_from_ending(store)) == (None, None)


def test_a_store_that_hangs_holds_up_no_other_and_what_was_known_stays() -> None:
    world = World()
    world.look()
    world.pools.pools = [pool(), pool("more", "others")]
    world.buckets["others"] = Bucket(REFUSED)
    world.seconds += timing.STORE_CHECK_SECONDS
    world.checks.look()
    other, hangs = world.begun
    other()
    assert (world.state(), world.state("more", "others")) == ("works", "refused")
    assert world.checks.view(pool()).looked_at == NOW
    world.begun.clear()
    world.seconds += timing.STORE_CHECK_SECONDS
    world.checks.look()
    assert len(world.begun) == 1, "the one that hangs is not asked once more"
    world.begun.clear()
    assert world.state() == "works"
    world.seconds += timing.STORE_CHECK_SECONDS
    view = world.checks.view(pool())
    assert (view.state, view.looked_at) == ("unavailable", world.now() - timedelta(seconds=120))
    assert "bucket results at http://store:9000 has not answered for 120 s" in str(view.message)
    assert "At 2026-11-26 12:00:00 UTC it worked." in str(view.message)
    assert str(view.message) in str(world.checks.remark())
    hangs()
    assert (world.state(), world.checks.view(pool()).looked_at) == ("works", world.now())


def test_a_store_that_no_pool_uses_any_more_is_forgotten() -> None:
    world = World(buckets={"results": Bucket(REFUSED)})
    world.look()
    world.pools.pools = []
    world.look()
    assert (world.checks.remark(), world.state()) == (None, "unknown")
    world.pools.pools = [pool()]
    world.checks.look()
    (late,) = world.begun
    world.pools.pools = []
    world.checks.look()
    late()
    assert world.checks.remark() is None, "a look that was under way brings nothing back"


def test_pools_that_are_not_known_are_not_forgotten() -> None:
    world = World(buckets={"results": Bucket(REFUSED)})
    world.look()
    world.pools.pools = None
    world.look()
    assert world.state() == "refused"


def test_a_store_that_is_not_listed_is_none_of_the_gateways() -> None:
    world = World(buckets={})
    world.look()
    view = world.checks.view(pool())
    assert (view.state, view.looked_at, world.checks.remark()) == ("unlisted", None, None)
    assert "is not in gateway.stores" in str(view.message)


def test_a_store_that_cannot_be_set_up_is_told() -> None:
    world = World(unusable=SettingsError("S3 cannot be used as it is set up: correct storage.s3."))
    assert world.state() == "unknown"
    world.look()
    assert world.state() == "refused"
    assert "as it is set up" in str(world.checks.remark())


def test_a_fault_of_ours_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    world = World(buckets={"results": Bucket(RuntimeError("a fault"))})
    world.look()
    assert world.state() == "unknown"
    assert "store_not_looked_at" in capsys.readouterr().out
    world.buckets["results"].fault = None
    world.seconds += timing.STORE_CHECK_SECONDS
    world.look()
    assert world.state() == "works"


def test_a_change_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    world = World(buckets={"results": Bucket(REFUSED)})
    for _ in range(3):
        world.look()
        world.seconds += timing.STORE_CHECK_SECONDS
    world.buckets["results"].fault = None
    world.look()
    logged = capsys.readouterr().out
    assert logged.count("store_does_not_work") == 1
    assert logged.count("store_works_again") == 1
