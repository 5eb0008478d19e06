"""Names: valid where they are used, stable, and different for different things."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core import names, timing
from genpool_core.topology.rights import worker_permissions

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?")
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

PART = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
POOLS = st.lists(PART, min_size=1, max_size=6).map(".".join).filter(lambda name: len(name) <= 253)
QUEUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=255).filter(
    lambda name: len(name.encode()) <= names.QUEUE_NAME_BYTES
)
OBJECTS: list[tuple[Callable[[str], str], int]] = [
    (names.deployment, 46),
    (names.config_map, 63),
]
QUEUE_NAMES: list[Callable[[str], str]] = [names.dead_queue, names.work_policy, names.dead_policy]


@pytest.mark.parametrize(("make", "limit"), OBJECTS)
@given(pool=POOLS)
def test_an_objects_name_is_one_that_kubernetes_takes(
    make: Callable[[str], str], limit: int, pool: str
) -> None:
    name = make(pool)
    assert len(name) <= limit
    assert OBJECT_NAME.fullmatch(name)


@given(pool=POOLS)
def test_a_pod_of_the_deployment_fits_a_label(pool: str) -> None:
    replica_set_hash, pod_suffix = "-5d4f6c8b9f", "-x2k9p"
    assert len(names.deployment(pool) + replica_set_hash + pod_suffix) <= 63


@given(pool=POOLS)
def test_label_values_are_valid_and_select(pool: str) -> None:
    labels, selector = names.pool_labels(pool), names.pool_selector(pool)
    assert selector.items() <= labels.items()
    for value in labels.values():
        assert len(value) <= 63
        assert LABEL_VALUE.fullmatch(value)
    assert names.selector_text(pool) == ",".join(f"{key}={selector[key]}" for key in sorted(selector))


@pytest.mark.parametrize("make", QUEUE_NAMES)
@given(queue=QUEUES)
def test_a_name_on_the_broker_has_room(make: Callable[[str], str], queue: str) -> None:
    assert len(make(queue).encode()) <= 255
    assert make(queue) != queue


@given(text=st.text(max_size=300), limit=st.integers(min_value=16, max_value=255))
def test_fitting_twice_is_fitting_once(text: str, limit: int) -> None:
    once = names._fit(text.encode(errors="ignore").decode(), limit)
    assert names._fit(once, limit) == once
    assert len(once.encode()) <= limit


@pytest.mark.parametrize("make", [names.deployment, names.config_map, names.dead_queue, names.work_policy])
def test_names_that_differ_only_at_their_end_stay_apart(make: Callable[[str], str]) -> None:
    long = "a" * 250
    assert make(f"{long}1") != make(f"{long}2")


#: Alike but for their ends: shorter and longer than what fits into a name.
ALIKE = st.tuples(
    st.integers(0, 70), st.lists(PART.map(lambda part: part[:3]), min_size=2, max_size=2, unique=True)
).map(lambda drawn: [f"{'a' * drawn[0]}{end}" for end in drawn[1]])


@given(pools=st.lists(POOLS, min_size=2, max_size=2, unique=True) | ALIKE)
def test_pools_do_not_share_objects(pools: list[str]) -> None:
    one, other = pools
    for make, _ in OBJECTS:
        assert make(one) != make(other)
    assert names.selector_text(one) != names.selector_text(other)


def test_short_names_are_readable() -> None:
    assert names.deployment("text") == "text-worker"
    assert names.config_map("text") == "text-workflows"
    assert names.login_keys("text") == ("text.username", "text.password")
    assert names.callback_secret_key("text") == "text"
    assert names.dead_queue("photo_repair_tasks") == "photo_repair_tasks.dead"
    assert names.work_policy("generation_tasks") == "genpool.work.generation_tasks"
    assert names.dead_policy("generation_tasks") == "genpool.dead.generation_tasks"
    assert names.event_routing_key("uid-1", "task.ended") == "uid-1.task.ended"
    assert names.command_queue("uid-1", "text-worker-x2") == "genpool.commands.uid-1.text-worker-x2"
    assert names.command_key("uid-1", "text-worker-x2") == "uid-1.text-worker-x2"
    assert names.command_key_of_all("uid-1") == "uid-1.all"


def test_a_worker_may_have_its_queue_however_long_its_pods_name_is() -> None:
    queue = names.command_queue("uid-1", "p" * 253)
    assert len(queue) == names.QUEUE_NAME_BYTES
    assert re.search(worker_permissions("q", "uid-1")["configure"], queue)


def test_retry_steps() -> None:
    assert [names.retry_step(seconds) for seconds in timing.RETRY_STEPS] == [
        "genpool.retry.5s",
        "genpool.retry.30s",
        "genpool.retry.2m",
        "genpool.retry.10m",
        "genpool.retry.1h",
    ]
    assert names.retry_step(90) == "genpool.retry.90s"


@given(pools=st.lists(POOLS, min_size=2, max_size=2, unique=True) | ALIKE)
def test_pools_do_not_share_keys_of_a_secret(pools: list[str]) -> None:
    made = [{*names.login_keys(pool), names.callback_secret_key(pool)} for pool in pools]
    assert not made[0] & {*names.login_keys(pools[1])}
    assert names.callback_secret_key(pools[0]) != names.callback_secret_key(pools[1])
    assert names.pool_manager(pools[0]) != names.pool_manager(pools[1])
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key) for keys in made for key in keys)
    assert all(len(names.pool_manager(pool)) <= 128 for pool in pools)


@pytest.mark.parametrize(
    ("user", "pool", "gateway"),
    [
        (names.worker_user("7b0e-1", "0a1b2c3d"), "7b0e-1", False),
        (names.worker_user("7b0e-1", "ffffffff"), "7b0e-1", False),
        (names.gateway_user("0a1b2c3d"), None, True),
        ("genpool", None, False),
        ("genpool.operator", None, False),
        ("genpool.gateway", None, False),
        ("genpool.gateway.0a1b2c3d.x", None, False),
        ("genpool.worker.7b0e-1", None, False),
        ("genpool.worker.7b0e-1.0A1B2C3D", None, False),
        ("genpool.worker.7b0e-1.0a1b2c3d\n", None, False),
        ("genpool.worker.a.b.0a1b2c3d", None, False),
        ("genpool.worker..0a1b2c3d", None, False),
        ("x.genpool.worker.7b0e-1.0a1b2c3d", None, False),
        ("GENPOOL.worker.7b0e-1.0a1b2c3d", None, False),
        ("guest", None, False),
        ("", None, False),
        (None, None, False),
    ],
)
def test_whose_user_it_is(user: str | None, pool: str | None, *, gateway: bool) -> None:
    assert (names.pool_of_user(user), names.is_gateway_user(user)) == (pool, gateway)
    ours = pool is not None or gateway
    assert names.key_of_user(user or "") == ((user or "")[-8:] if ours else None)


def test_the_selector_picks_all_pools() -> None:
    assert names.objects_selector() == (
        "app.kubernetes.io/component=worker,app.kubernetes.io/managed-by=genpool-operator,"
        "app.kubernetes.io/name=genpool-worker,app.kubernetes.io/part-of=genpool"
    )
