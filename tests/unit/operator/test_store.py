"""The operator's memory of the cluster: watches, lists and answers come in any order."""

from __future__ import annotations

import time
from typing import Any

from genpool_operator.adapters.store import Store
from unit.operator.pools import UID, make_pool, spec

LABELS = {"app.kubernetes.io/instance": "pictures"}


def pool(uid: str = UID, version: int = 1, generation: int = 1, **meta: object) -> dict[str, Any]:
    return {
        "kind": "GenerationPool",
        "metadata": {
            "name": "pictures",
            "namespace": "team",
            "uid": uid,
            "resourceVersion": str(version),
            "generation": generation,
            **meta,
        },
        "spec": spec(),
    }


def pod(name: str, version: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "team", "labels": LABELS, "resourceVersion": str(version)}
    }


def deployment(replicas: int, version: int, image: str = "a") -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "pictures-worker",
            "namespace": "team",
            "labels": LABELS,
            "resourceVersion": str(version),
        },
        "spec": {"replicas": replicas, "image": image},
    }


META = make_pool().metadata


def test_only_a_new_spec_is_news() -> None:
    store = Store()
    assert store.put_pool(pool())
    assert not store.put_pool(pool(version=2))
    assert store.put_pool(pool(version=3, generation=2))
    assert store.put_pool(pool(version=4, generation=2, uid="other"))


def test_an_older_version_changes_nothing() -> None:
    store = Store()
    store.put_deployment(deployment(3, version=10))
    store.put_deployment(deployment(1, version=9))
    found = store.deployment(META)
    assert found is not None
    assert found.wanted == 3
    store.scaled(META, 5, "12")
    store.put_deployment(deployment(3, version=11))
    found = store.deployment(META)
    assert found is not None
    assert found.wanted == 5


def test_another_number_of_replicas_is_no_reason_for_a_full_pass() -> None:
    store = Store()
    assert store.put_deployment(deployment(1, version=1))
    assert not store.put_deployment(deployment(2, version=2))
    assert store.put_deployment(deployment(2, version=3, image="b"))


def test_pods_belong_to_their_pool() -> None:
    store = Store()
    store.put_pod(pod("a"))
    store.put_pod(pod("b"))
    assert [item.name for item in store.pods(META)] == ["a", "b"]
    store.drop_pod(pod("a"))
    assert [item.name for item in store.pods(META)] == ["b"]
    assert not store.pods(META.model_copy(update={"namespace": "other"}))


def test_a_list_takes_away_what_a_lost_event_left() -> None:
    store = Store()
    store.put_pool(pool())
    store.put_pod(pod("a"))
    store.resync([], [], [], time.monotonic() + 1)
    assert not store.records()
    assert not store.pods(META)
    assert [item.metadata.uid for item in store.take_deleted()] == [UID]
    assert not store.take_deleted()


def test_a_list_does_not_bring_back_what_was_deleted_meanwhile() -> None:
    store = Store()
    store.put_pod(pod("a"))
    began = time.monotonic()
    store.drop_pod(pod("a"))
    store.put_pod(pod("new"))
    store.resync([], [], [pod("a")], began)
    assert [item.name for item in store.pods(META)] == ["new"]


def test_a_pool_that_is_being_deleted_is_gone() -> None:
    store = Store()
    store.put_pool(pool())
    assert not store.put_pool(pool(version=2, deletionTimestamp="2026-03-01T10:00:00Z"))
    assert not store.records()
    assert len(store.take_deleted()) == 1


def test_another_pool_of_the_same_name_takes_the_place_of_the_first() -> None:
    for arrive in (Store.put_pool, lambda store, body: store.resync([body], [], [], time.monotonic())):
        store = Store()
        store.put_pool(pool())
        arrive(store, pool(uid="second", version=9))
        assert [item.metadata.uid for item in store.take_deleted()] == [UID]
        assert [record.meta.uid for record in store.records()] == ["second"]


def test_a_late_answer_does_not_bring_a_deleted_pool_back() -> None:
    store = Store()
    store.put_pool(pool())
    store.drop_pool(pool(version=2))
    store.observe(pool(version=3))
    assert not store.records()


def test_a_late_deletion_does_not_touch_the_next_pool() -> None:
    store = Store()
    store.put_pool(pool(uid="second", version=9))
    store.drop_pool(pool(version=8))
    assert [record.meta.uid for record in store.records()] == ["second"]


def test_an_object_that_cannot_be_read_is_kept_with_its_fault() -> None:
    store = Store()
    store.put_pool({**pool(), "spec": {"queue": {}}})
    record = store.record(("team", "pictures"))
    assert record is not None
    assert record.pool is None
    assert record.error is not None
    assert not store.pools()


def test_a_status_that_another_release_wrote_counts_as_none() -> None:
    store = Store()
    store.put_pool({**pool(), "status": {"replicas": 3, "invented": True}})
    record = store.record(("team", "pictures"))
    assert record is not None
    assert record.pool is not None
    assert record.status.replicas is None
