"""API keys and the audit log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_core.errors import TaskStoreError
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.key_ports import ApiKey, AuditEntry, Session
from support.task_changes import at

KEY = ApiKey("id1", "Anna's laptop", "d1", "user", ("team/photos",), 50, at(1))


def test_keys_are_found_by_digest_and_listed(store: TaskStore) -> None:
    other = ApiKey("id2", "all", "d2", "admin", None, None, at(0))
    store.keys.add_key(KEY)
    store.keys.add_key(other)
    assert store.keys.key_by_digest("d1") == KEY
    assert store.keys.key_by_digest("d9") is None
    assert store.keys.keys() == [other, KEY]


def test_a_revoked_key_stays_as_it_was_revoked_first(store: TaskStore) -> None:
    store.keys.add_key(KEY)
    assert store.keys.revoke_key("id9", at(2)) is None
    revoked = replace(KEY, revoked_at=at(2))
    assert [store.keys.revoke_key("id1", at(seconds)) for seconds in (2, 3)] == [revoked, revoked]
    assert store.keys.key_by_digest("d1") == revoked


def test_a_digest_belongs_to_one_key_and_is_in_no_error(store: TaskStore) -> None:
    store.keys.add_key(replace(KEY, digest="0123abcd"))
    with pytest.raises(TaskStoreError) as refused:
        store.keys.add_key(replace(KEY, id="id2", digest="0123abcd"))
    assert "0123abcd" not in refused.value.message


def test_the_audit_log_shows_the_newest_first(store: TaskStore) -> None:
    entries = [AuditEntry(at(0), "id1", "task.cancel", f"key-{number}") for number in range(3)]
    for entry in entries:
        store.keys.audit(entry)
    assert store.keys.audit_log(limit=2) == [entries[2], entries[1]]


def test_sessions_are_found_until_they_are_ended_and_old_ones_go(store: TaskStore) -> None:
    one, other = Session("s1", "d1", at(10)), Session("s2", "d1", at(20))
    store.keys.add_session(one, at(0))
    assert store.keys.session_by_digest("s1") == one
    assert store.keys.session_by_digest("s9") is None
    store.keys.add_session(other, at(10))
    assert store.keys.session_by_digest("s1") is None
    store.keys.end_session("s2")
    store.keys.end_session("s2")
    assert store.keys.session_by_digest("s2") is None
