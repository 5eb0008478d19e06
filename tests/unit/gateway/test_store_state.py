"""What is said of a store: what was found, when, and what that means; nothing of what is not known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from genpool_adapters.objectstore.access_check import AccessFailure, StoreAccess
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.workerconfig import FolderConfig, S3Config, StoreConfig
from genpool_gateway.pools.store_state import (
    AT_ONCE,
    KnownStore,
    StoreKey,
    StoreLook,
    StoreState,
    due,
    keeps_from_ending,
    learned,
    remark_of,
    store_key,
    trouble_of,
)
from unit.gateway.samples import NOW

WORKS = StoreLook(NOW, None)
AT_NOON = "2026-11-26 12:00:00 UTC"
COULD_NOT_READ = "At its last look (2026-11-26 {}:00 UTC) the gateway could not read there:"
UNTIL_CORRECTED = (
    "Until that is corrected, links to its results may lead to an error, and a task that waits is not ended."
)
UNTIL_BACK = "Until it is back, a task that waits is not ended."


def refused(access: StoreAccess = StoreAccess.READ, message: str = "it refused.") -> StoreLook:
    return StoreLook(NOW, AccessFailure(access, StorageError(message, refusal=True)))


def away(minutes: int = 0) -> StoreLook:
    failure = AccessFailure(StoreAccess.READ, StorageError("it does not answer."))
    return StoreLook(NOW + timedelta(minutes=minutes), failure)


def known(*looks: StoreLook) -> KnownStore | None:
    found = None
    for look in looks:
        found = learned(found, look)
    return found


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ((), None),
        ((WORKS,), None),
        ((refused(), WORKS), None),
        ((away(), WORKS), None),
        ((WORKS, refused()), f"{COULD_NOT_READ.format('12:00')} it refused. {UNTIL_CORRECTED}"),
        ((away(1),), f"{COULD_NOT_READ.format('12:01')} it does not answer. {UNTIL_BACK}"),
        (
            (WORKS, away(1), away(2)),
            f"{COULD_NOT_READ.format('12:02')} it does not answer. At {AT_NOON} it worked. {UNTIL_BACK}",
        ),
        (
            (refused(), away(1)),
            f"{COULD_NOT_READ.format('12:01')} it does not answer. At {AT_NOON} it refused the gateway. {UNTIL_BACK}",
        ),
    ],
)
def test_what_is_said_of_a_store(looks: tuple[StoreLook, ...], said: str | None) -> None:
    assert trouble_of(known(*looks)) == said


@pytest.mark.parametrize(
    ("access", "verb", "consequence"),
    [
        (StoreAccess.LIST, "could not list objects there", "nothing is deleted there"),
        (StoreAccess.CREATE, "could not write there", "a task that waits is not ended"),
        (StoreAccess.DELETE, "could not delete there", "nothing is deleted there"),
    ],
)
def test_each_refusal_has_its_consequence(access: StoreAccess, verb: str, consequence: str) -> None:
    said = trouble_of(known(refused(access)))
    assert said is not None
    assert verb in said
    assert consequence in said
    assert "links" not in said, "they work: the store may be read"


@pytest.mark.parametrize(
    ("look", "keeps"),
    [
        (None, False),
        (WORKS, False),
        (away(), False),
        (refused(StoreAccess.READ), True),
        (refused(StoreAccess.LIST), True),
        (refused(StoreAccess.CREATE), True),
        (refused(StoreAccess.DELETE), False),
    ],
)
def test_what_keeps_a_task_from_being_ended(look: StoreLook | None, *, keeps: bool) -> None:
    assert (keeps_from_ending(known(*([] if look is None else [look]))) is not None) is keeps


def test_the_readiness_answer_tells_of_a_few() -> None:
    stores = [learned(None, each) for each in (WORKS, *(refused(message=f"no {n}.") for n in range(5)))]
    assert remark_of(stores[:1]) is None
    assert remark_of(stores[:2]) == trouble_of(stores[1])
    said = remark_of(stores)
    assert said is not None
    assert all(f"no {n}." in said for n in range(3))
    assert "no 3." not in said
    assert said.endswith("And 2 more: see store in GET /v1/pools.")


@pytest.mark.parametrize(
    ("look", "state"), [(WORKS, StoreState.WORKS), (refused(), "refused"), (away(), "unavailable")]
)
def test_states(look: StoreLook, state: str) -> None:
    assert look.state == state


A, B, C = (StoreKey("http://s3", name, "", "") for name in "abc")


@pytest.mark.parametrize(
    ("begun", "busy", "wanted"),
    [
        ({}, set(), [A, B, C]),
        ({A: 0.0, B: 0.0}, set(), [C]),
        ({A: -59.9, B: -60.0, C: -61.0}, set(), [C, B]),
        ({A: -9000.0, B: 0.0, C: 0.0}, {A}, []),
    ],
)
def test_when_a_store_is_looked_at(
    begun: dict[StoreKey, float], busy: set[StoreKey], wanted: list[StoreKey]
) -> None:
    assert due([A, B, C], begun, busy, 0.0) == wanted


def test_many_stores_are_looked_at_a_few_at_a_time_and_none_is_forgotten() -> None:
    used = [StoreKey("http://s3", f"b{number}", "", "") for number in range(3 * AT_ONCE)]
    begun: dict[StoreKey, float] = {}
    for number in range(3):
        chosen = due(used, begun, (), number * timing.HOUSEKEEPING_SECONDS)
        assert len(chosen) == AT_ONCE
        begun |= dict.fromkeys(chosen, number * timing.HOUSEKEEPING_SECONDS)
    assert set(begun) == set(used)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (S3Config(bucket="b"), S3Config(bucket="b", url_ttl_seconds=60), True),
        (S3Config(bucket="b"), S3Config(bucket="b", public_endpoint="https://files.example"), True),
        (S3Config(bucket="b"), S3Config(bucket="b", prefix="p/"), False),
        (S3Config(bucket="b"), S3Config(bucket="b", endpoint="http://s3"), False),
        (FolderConfig(path="/a"), FolderConfig(path="/a", url_ttl_seconds=60), True),
        (FolderConfig(path="/a"), FolderConfig(path="/b"), False),
    ],
)
def test_which_pools_share_a_look(one: StoreConfig, other: StoreConfig, *, same: bool) -> None:
    assert (store_key(one) == store_key(other)) is same
