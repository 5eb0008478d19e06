"""Small decisions of the task store: addresses, sentences, notifications."""

from __future__ import annotations

import pytest
from psycopg import errors
from sqlalchemy.exc import OperationalError

from genpool_core.errors import TaskStoreError
from genpool_gateway.store.address import parse_address
from genpool_gateway.store.database import Overtaken, explained
from genpool_gateway.store.overtaken import until_not_overtaken
from genpool_gateway.store.postgresql import payloads


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/tasks.db", "the SQLite file /data/tasks.db"),
        ("sqlite:///tasks.db", "the SQLite file tasks.db"),
        ("postgresql+psycopg://u:p@db:6543/genpool", "the PostgreSQL database genpool at db:6543"),
        ("postgresql://u:p@db/genpool", "the PostgreSQL database genpool at db:5432"),
        (
            "postgresql://u@/genpool?host=/run/postgresql",
            "the PostgreSQL database genpool at /run/postgresql",
        ),
        ("postgresql:///genpool", "the PostgreSQL database genpool at localhost:5432"),
    ],
)
def test_a_database_is_named_without_its_login(url: str, shown: str) -> None:
    assert parse_address(url).shown == shown


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("unable to open database file", "its folder"),
        ("database or disk is full", "Make room"),
        ("database is locked", "only one gateway"),
        ('FATAL:  password authentication failed for user "u"\nDETAIL: more', "Correct user and password"),
        ("connection refused", "goes on by itself"),
        ("canceling statement due to statement timeout", "slow or overloaded"),
        ("cannot execute INSERT in a read-only transaction", "primary"),
        ("", "goes on by itself"),
    ],
)
def test_an_error_says_what_to_do_and_no_secret(said: str, advice: str) -> None:
    address = parse_address("postgresql://u:s3cr3t@db/genpool")
    error = OperationalError(
        "INSERT secret", {"prompt": "secret"}, Exception(said + (" s3cr3t" if said else ""))
    )
    with pytest.raises(TaskStoreError) as raised, explained(address):
        raise error
    message = raised.value.message
    assert message.startswith("The task store, the PostgreSQL database genpool at db:5432, failed: ")
    assert advice in message
    assert "s3cr3t" not in message
    assert "secret" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("error", "again"),
    [(errors.DeadlockDetected, True), (errors.ForeignKeyViolation, True), (errors.UniqueViolation, False)],
)
def test_two_transactions_that_met_are_told_from_trouble(error: type[Exception], again: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(TaskStoreError) as raised, explained(parse_address("postgresql:///genpool")):
        raise OperationalError("INSERT", {}, error("said"))
    assert isinstance(raised.value, Overtaken) is again


def test_a_transaction_that_was_overtaken_is_done_again_a_few_times() -> None:
    left = [1, 2]

    def work() -> str:
        if left:
            left.pop()
            raise Overtaken("met")
        return "done"

    assert until_not_overtaken(work) == "done"
    left.extend(range(99))
    with pytest.raises(Overtaken):
        until_not_overtaken(work)


@pytest.mark.parametrize("count", [0, 1, 7, 500])
def test_notifications_hold_all_ids_within_their_limit(count: int) -> None:
    ids = [f"{number:040}" for number in range(count)]
    made = list(payloads(ids))
    assert " ".join(made).split() == ids
    assert all(len(payload.encode()) < 8000 for payload in made)
    assert len(made) == -(-count * 41 // 7900) if count else not made
