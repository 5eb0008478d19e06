from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_gateway.api.cursors import cursor_after, read_cursor
from genpool_gateway.api.problems import Problem
from unit.gateway.samples import NOW, record


def test_a_cursor_leads_behind_its_task() -> None:
    task = record("abc", created_at=NOW + timedelta(microseconds=7))
    assert read_cursor(cursor_after(task)) == (task.created_at, "abc")


@given(st.text(max_size=80))
def test_whatever_else_is_sent_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_cursor(text)
    assert (caught.value.reason, caught.value.status) == ("InvalidRequest", 422)
