"""What was lost is noted until its ledger was read, and one gateway alone reads."""

from __future__ import annotations

from genpool_gateway.store.opening import TaskStore, open_store
from support.task_changes import at


def test_a_loss_is_noted_until_the_ledger_was_read_since(store: TaskStore) -> None:
    rebuilds = store.rebuilds
    rebuilds.events_lost(["a", "b"], at(1))
    rebuilds.events_lost(["b", "c"], at(3))
    rebuilds.events_lost(["b"], at(2))
    rebuilds.events_lost([], at(9))
    assert rebuilds.to_rebuild() == {"a": at(1), "b": at(3), "c": at(3)}
    rebuilds.rebuilt("b", at(2))
    rebuilds.rebuilt("c", at(3))
    rebuilds.rebuilt("unknown", at(3))
    assert rebuilds.to_rebuild() == {"a": at(1), "b": at(3)}


def test_of_two_gateways_one_is_alone(store: TaskStore, url: str) -> None:
    other = open_store(url)
    with store.rebuilds.alone() as mine, other.rebuilds.alone() as theirs:
        # SQLite has one gateway.
        assert (mine, theirs) == (True, url.startswith("sqlite"))
        store.rebuilds.events_lost(["a"], at(1))
    with other.rebuilds.alone() as theirs:
        assert theirs
    other.close()
