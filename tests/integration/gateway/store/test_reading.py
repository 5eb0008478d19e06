"""Lists, positions and counts; pages cost the same wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import sqlite

from genpool_core.jsontypes import JsonObject
from genpool_core.messages.base import PoolRef
from genpool_gateway.store import reading
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.store.reading import before_statement, find_statement, lately_statement
from genpool_gateway.tasks.ports import EndedLately, NewTask, TaskQuery
from genpool_gateway.tasks.record import TaskRecord, TaskState
from support.task_changes import accepting, at, change, end_record, key

OTHER = PoolRef(namespace="team", name="texts", uid="uid-2")


def without_body(record: TaskRecord) -> TaskRecord:
    assert record.submission is not None
    return replace(record, submission=replace(record.submission, body=b""))


@pytest.fixture
def filled(store: TaskStore) -> TaskStore:
    """``a`` to ``f``, each newer; a is done, b dead, c runs, e is bert's, f in another pool; p is a producer's."""
    group = [accepting(name, seconds=place) for place, name in enumerate("abcd")]
    group += [
        accepting("e", seconds=4, owner="bert"),
        accepting("f", seconds=5, pool=OTHER, workflow="plain"),
    ]
    store.accepting.accept([NewTask(each) for each in group], {}, at(0))
    store.accepting.published([each.id for each in group])
    store.events.apply(
        [
            change("a", "ended", seconds=6),
            change("b", "ended", seconds=7, end=end_record("b", "dead")),
            change("c", "claimed", seconds=8),
            change("p", "claimed", seconds=10),
        ]
    )
    return store


#: What is asked for, and the tasks found, newest first.
LISTS: list[tuple[dict[str, Any], str]] = [
    ({}, "pfedcba"),
    ({"limit": 2}, "pf"),
    ({"before": (at(4), key("e"))}, "dcba"),
    ({"before": (at(4), key("z"))}, "edcba"),
    ({"owner": "anna"}, "fdcba"),
    ({"owner": "bert"}, "e"),
    ({"pools": ["uid-2"]}, "f"),
    ({"pools": ["uid-2", "uid-1"], "limit": 3}, "pfe"),
    ({"pools": []}, ""),
    ({"workflow": "plain"}, "f"),
    ({"task_id": "c"}, "c"),
    ({"states": [TaskState.RUNNING]}, "pc"),
    ({"states": [TaskState.RUNNING], "outcomes": ["dead"]}, "pcb"),
    ({"outcomes": ["dead", "expired"]}, "b"),
    ({"outcomes": ["dead", "succeeded"]}, "ba"),
    ({"reason": "InvalidTask"}, "b"),
    ({"states": [TaskState.QUEUED], "owner": "anna", "pools": ["uid-1"]}, "d"),
]


def test_lists(filled: TaskStore) -> None:
    found = [filled.reader.find(TaskQuery(**query)) for query, _ in LISTS]
    asked = [
        (query, "".join(record.task_id for record in page))
        for (query, _), page in zip(LISTS, found, strict=True)
    ]
    assert asked == LISTS


def test_a_list_has_everything_but_bodies(filled: TaskStore) -> None:
    for record in filled.reader.find(TaskQuery(owner="anna")):
        whole = filled.reader.get(record.id)
        assert whole is not None
        assert record == without_body(whole)


def pages(store: TaskStore, query: TaskQuery) -> Iterator[list[TaskRecord]]:
    while page := store.reader.find(query):
        yield page
        query = replace(query, before=(page[-1].created_at, page[-1].id))


def test_pages_show_each_task_once_though_all_have_one_time(store: TaskStore) -> None:
    group = [accepting(f"t{number:03}") for number in range(25)]
    store.accepting.accept([NewTask(each) for each in group], {}, at(0))
    seen = [record.id for page in pages(store, TaskQuery(limit=7)) for record in page]
    assert seen == sorted((each.id for each in group), reverse=True)


def test_the_place_in_the_queue_counts_what_was_accepted_before_and_waits(filled: TaskStore) -> None:
    places = {name: filled.reader.queue_position(key(name)) for name in "abcdefp"}
    assert places == {"a": None, "b": None, "c": None, "d": 0, "e": 1, "f": 0, "p": None}
    assert filled.reader.queue_position("unknown") is None
    filled.events.apply([change("c", "retried", seconds=20), change("d", "claimed", seconds=21)])
    assert filled.reader.queue_position(key("e")) == 0


def test_a_replay_has_no_place_as_it_was_accepted_long_ago(filled: TaskStore) -> None:
    filled.events.apply([change("a", "accepted", seconds=20, run=2, attempt=0)])
    assert filled.reader.queue_position(key("a")) is None


def test_a_place_far_back_is_not_counted(store: TaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BEFORE", 3)
    group = [accepting(f"t{number}", seconds=number) for number in range(6)]
    store.accepting.accept([NewTask(each) for each in group], {}, at(0))
    assert [store.reader.queue_position(each.id) for each in group] == [0, 1, 2, 3, None, None]


def test_the_last_ends_of_a_pool_are_told_with_their_times(filled: TaskStore) -> None:
    filled.events.apply([change("p", "ended", seconds=12, end=end_record("p", owner=None))])
    # b and p began at 4 s by their end records; of a nobody knows.
    assert filled.reader.ended_lately("uid-1", limit=9) == [
        EndedLately(owned=False, seconds=8.0),
        EndedLately(owned=True, seconds=3.0),
        EndedLately(owned=True, seconds=None),
    ]
    assert len(filled.reader.ended_lately("uid-1", limit=1)) == 1
    assert filled.reader.ended_lately("uid-2", limit=9) == []


def test_what_waits_is_counted_by_pool(filled: TaskStore) -> None:
    assert [filled.reader.count_unfinished(uid) for uid in ("uid-1", "uid-2", "uid-3")] == [2, 1, 0]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(), "tasks_created"),
        (TaskQuery(before=(at(0), "x")), "tasks_created"),
        (TaskQuery(owner="anna"), "tasks_by_owner"),
        (TaskQuery(pools=["uid-1"], states=[TaskState.RUNNING]), "tasks_by_pool"),
        (TaskQuery(outcomes=["dead"]), "tasks_unsuccessful"),
        (TaskQuery(task_id="x"), "tasks_by_task_id"),
    ],
)
def test_an_index_serves_each_list(sqlite_url: str, query: TaskQuery, index: str) -> None:
    said = plan(sqlite_url, find_statement(query))
    assert index in said
    assert "SCAN task_contents" not in said


def test_indexes_serve_what_is_asked_for_a_task_that_waits(sqlite_url: str) -> None:
    assert "INDEX tasks_waiting (pool_uid=? AND (created_at,id)<" in plan(
        sqlite_url, before_statement("uid-1", at(0), "x")
    )
    lately = plan(sqlite_url, lately_statement("uid-1", 50))
    assert "USING INDEX tasks_ended_by_pool" in lately
    assert "TEMP B-TREE" not in lately


def plan(url: str, statement: Select[Any]) -> str:
    """How SQLite goes about a statement."""
    store = open_store(url)
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    with store.database.reading() as connection:
        values = tuple(compiled.params[name] for name in compiled.positiontup or ())
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", _plain(values)).all()
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    store.close()
    return "\n".join(str(row[-1]) for row in rows)


def _plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(0 if hasattr(value, "year") else value for value in values)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("QUIET bay", ["s1"]),
        ("静かな", ["s2"]),
        ("100%", ["s3"]),
        ("a_b", ["s3"]),
        ("back\\slash", ["s3"]),
        ("family album", ["s2"]),
        ("word of s1", ["s1"]),
        ("nothing like it", []),
        ("%", ["s3"]),
        ("nul\0in it", ["s2"]),
        ("\0", ["s2"]),
        ("of\\s3", ["s3"]),
    ],
)
def test_a_search_finds_what_tasks_were_given_and_are_called(
    store: TaskStore, search: str, found: list[str]
) -> None:
    given = {"s1": "a quiet Bay", "s2": "静かな湖", "s3": "100% a_b back\\slash"}
    records = []
    for place, (name, prompt) in enumerate(given.items()):
        word = {"s2": "nul\0in it", "s3": "word of\\s3"}.get(name, f"word of {name}")
        record = replace(accepting(name, seconds=place), parameters={"prompt": prompt}, task_id=word)
        assert record.submission is not None
        metadata: JsonObject = {"file": "Family Album/1.png"} if name == "s2" else {}
        records.append(replace(record, submission=replace(record.submission, metadata=metadata)))
    store.accepting.accept([NewTask(each) for each in records], {}, at(0))
    assert [record.id for record in store.reader.find(TaskQuery(search=search))] == [
        key(name) for name in found
    ]
    (one,) = store.reader.find(TaskQuery(search=key("s1").upper()))
    assert one.id == key("s1")
