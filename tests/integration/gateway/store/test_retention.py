"""What goes by age, and what is erased because somebody asked for it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select

from genpool_core import timing
from genpool_core.ledger.records import AttemptRecord, Output
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.store.tables import idempotency, task_contents, task_events, tasks
from genpool_gateway.tasks.change import erased_end
from genpool_gateway.tasks.ports import Acceptance, Idempotency, NewTask, TaskQuery
from support.task_changes import accepting, at, change, end_record, key

SECRET = "a very private prompt"
TABLES = (tasks, task_contents, task_events, idempotency)


def rows(store: TaskStore) -> dict[str, int]:
    """How many each table has."""
    with store.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in TABLES
        }


def test_ended_tasks_go_in_batches_the_oldest_first_with_all_that_is_theirs(store: TaskStore) -> None:
    names = [f"t{number}" for number in range(7)]
    store.accepting.accept(
        [NewTask(accepting(name), Idempotency(name, "d")) for name in [*names, "waits"]], {}, at(0)
    )
    store.events.apply([change(name, "ended", seconds=place) for place, name in enumerate(names)])
    assert rows(store) == {"tasks": 8, "task_contents": 8, "task_events": 15, "idempotency": 8}
    assert store.retention.delete_ended(before=at(5), limit=3) == 3
    assert store.reader.get(key("t2")) is None
    assert store.reader.get(key("t3")) is not None
    assert store.retention.delete_ended(before=at(5), limit=3) == 2
    assert store.retention.delete_ended(before=at(5), limit=3) == 0
    assert rows(store) == {"tasks": 3, "task_contents": 3, "task_events": 5, "idempotency": 3}


def test_expired_idempotency_keys_go_and_their_tasks_stay(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting(name), Idempotency(name, "d")) for name in "abc"], {}, at(0))
    store.accepting.accept([NewTask(accepting("d"), Idempotency("d", "d"))], {}, at(60))
    then = at(timing.IDEMPOTENCY_SECONDS)
    assert [store.retention.delete_expired_idempotency(now=then, limit=2) for _ in range(3)] == [2, 1, 0]
    assert rows(store)["idempotency"] == 1
    assert rows(store)["tasks"] == 4


def erasable(store: TaskStore) -> None:
    given = accepting("a", parameters={"prompt": SECRET}, callback_url=f"https://x.example/{SECRET}")
    store.accepting.accept([NewTask(given, Idempotency("k", "d"))], {}, at(0))
    output = Output(
        key=SECRET, bucket="b", node="9", kind="images", content_type="image/png", bytes=1, sha256="0"
    )
    attempt = AttemptRecord(attempt=1, worker="w", claimed_at=at(1), outcome="succeeded", message=SECRET)
    end = end_record(
        "a",
        parameters={"prompt": SECRET},
        outputs=[output],
        log_lines=[SECRET],
        message=SECRET,
        attempts=[attempt],
    )
    store.events.apply(
        [
            change("a", "claimed", seconds=1),
            change("a", "output", seconds=2, data={"run": 1, "attempt": 1, "key": SECRET}),
            change("a", "ended", seconds=3, end=end, data={"outcome": "succeeded", "message": SECRET}),
        ]
    )


def everything(store: TaskStore) -> str:
    """All that is stored, as text."""
    with store.database.reading() as connection:
        return "\n".join(str(row) for table in TABLES for row in connection.execute(select(table)))


def test_an_erased_task_leaves_a_tombstone(store: TaskStore) -> None:
    erasable(store)
    assert SECRET in everything(store)
    erased = store.retention.erase(key("a"), at(9))
    assert erased is not None
    assert SECRET not in everything(store)
    assert store.reader.get(key("a")) == erased
    assert erased.erased_at == at(9)
    assert erased.end is not None
    assert (erased.end.outcome, erased.end.gpu_seconds, erased.owner) == ("succeeded", 2.5, "anna")
    assert [event.number for event in store.reader.events(key("a"))] == [1, 2, 3, 4]
    assert len(store.reader.find(TaskQuery())) == 1
    # Twice equals once, and what still comes brings nothing back.
    assert store.retention.erase(key("a"), at(20)) == erased
    store.events.apply([change("a", "output", seconds=2, number=7, data={"key": SECRET})])
    again = change("a", "ended", run=2, end=end_record("a", run=2, message=SECRET), data={"message": SECRET})
    store.events.apply([again])
    assert SECRET not in everything(store)
    (answer,) = store.accepting.accept([NewTask(accepting("b"), Idempotency("k", "d"))], {}, at(9))
    assert answer.acceptance is Acceptance.ERASED


def test_only_an_ended_task_is_erased(store: TaskStore) -> None:
    assert store.retention.erase(key("a"), at(9)) is None
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    unfinished = store.retention.erase(key("a"), at(9))
    assert unfinished is not None
    assert unfinished.erased_at is None
    assert store.reader.get(key("a")) == accepting("a")


def test_tasks_over_age_are_found_by_pool_the_oldest_first(store: TaskStore) -> None:
    names = [f"t{number}" for number in range(3)]
    store.accepting.accept([NewTask(accepting(name)) for name in [*names, "waits"]], {}, at(0))
    store.events.apply([change(name, "ended", seconds=place) for place, name in enumerate(names)])
    known = store.reader.get(key("t0"))
    assert known is not None

    def due(pool: str = known.pool.uid, limit: int = 10) -> list[str]:
        return [record.id for record in store.retention.over_age(pool, before=at(2), limit=limit)]

    assert due() == [key("t0"), key("t1")]
    assert due(limit=1) == [key("t0")]
    assert due("another") == []
    store.retention.erase(key("t0"), at(3))
    assert due() == [key("t1")]


def test_rows_of_pools_that_keep_contents_go_later_unless_those_were_deleted(store: TaskStore) -> None:
    names = ["kept", "erased", "old"]
    store.accepting.accept([NewTask(accepting(name)) for name in names], {}, at(0))
    store.events.apply([change(name, "ended", seconds=place) for place, name in ((5, "kept"), (6, "erased"))])
    store.events.apply([change("old", "ended", seconds=1)])
    store.retention.erase(key("erased"), at(7))
    known = store.reader.get(key("kept"))
    assert known is not None
    kept = {known.pool.uid: at(3), "another": at(0)}
    assert store.retention.delete_ended(before=at(9), limit=10, with_contents=kept) == 2
    assert store.reader.get(key("kept")) is not None
    assert store.retention.delete_ended(before=at(9), limit=10, with_contents={"another": at(0)}) == 1


def test_a_tombstone_that_is_read_back_leaves_nothing_of_a_task(store: TaskStore) -> None:
    given = accepting("a", parameters={"prompt": SECRET}, callback_url=f"https://x.example/{SECRET}")
    given = replace(given, submission=replace(given.submission, body=SECRET.encode()))  # type: ignore[type-var]
    store.accepting.accept([NewTask(given)], {}, at(0))
    store.events.apply([change("a", "output", seconds=2, data={"run": 1, "attempt": 1, "key": SECRET})])
    tombstone = erased_end(end_record("a", message=SECRET), at(20))
    store.events.apply([change("a", "ended", seconds=9, end=tombstone, data={"outcome": "succeeded"})])
    assert SECRET not in everything(store)
    record = store.reader.get(key("a"))
    assert record is not None
    assert (record.erased_at, record.end) == (at(20), tombstone)
