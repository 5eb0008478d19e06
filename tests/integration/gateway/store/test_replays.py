"""A next run and a deletion of its task's contents: the one that begins first keeps the other from it."""

from __future__ import annotations

from genpool_core import timing
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.ports import NewTask
from support.task_changes import accepting, at, change, key

A, B, C = (key(name) for name in "abc")
LAPSED = timing.REPLAY_SECONDS


def _store(store: TaskStore) -> None:
    """Two tasks that have ended, and one that waits."""
    store.accepting.accept([NewTask(accepting(name)) for name in "abc"], {}, at(0))
    store.accepting.published([A, B, C])
    store.events.apply([change(name, "ended", seconds=9) for name in "ab"])


def test_who_begins_first_goes_on(store: TaskStore) -> None:
    _store(store)
    assert store.replays.begin([A], at(10)) == set()
    assert store.retention.begin_erasing([A, B], at(11)) == {A}
    assert store.replays.begin([A, B, C, "unknown"], at(12)) == {B}
    store.replays.over([A])
    assert store.retention.begin_erasing([A], at(13)) == set()
    assert store.replays.begin([A], at(14)) == {A}


def test_what_was_heard_of_no_more_lapses(store: TaskStore) -> None:
    _store(store)
    store.replays.begin([A], at(10))
    assert store.retention.begin_erasing([A], at(10 + LAPSED - 1)) == {A}
    assert store.retention.begin_erasing([A], at(10 + LAPSED)) == set()


def test_a_deletion_is_begun_again_and_what_was_deleted_runs_no_more(store: TaskStore) -> None:
    _store(store)
    for seconds in (10, 11):
        assert store.retention.begin_erasing([A], at(seconds)) == set()
    erased = store.retention.erase(A, at(12))
    assert erased is not None
    assert erased.erased_at == at(12)
    assert store.replays.begin([A], at(13)) == {A}


def test_one_that_has_not_ended_or_is_not_known(store: TaskStore) -> None:
    _store(store)
    assert store.retention.begin_erasing([C, "unknown"], at(10)) == {C}
