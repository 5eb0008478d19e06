"""Cursors of lists: where the page before ended. Opaque to callers."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime

from genpool_gateway.api.problems import Problem
from genpool_gateway.tasks.record import TaskRecord

_ID = re.compile(r"[0-9a-f]{1,64}")


def cursor_after(record: TaskRecord) -> str:
    """The cursor behind a task."""
    text = f"{record.created_at.isoformat()} {record.id}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Where a page begins; raises the Problem ``InvalidRequest``."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, task = raw.partition(" ")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _no_cursor() from None
    if moment.tzinfo is None or not _ID.fullmatch(task):
        raise _no_cursor()
    try:
        return moment.astimezone(UTC), task
    except OverflowError:
        raise _no_cursor() from None


def _no_cursor() -> Problem:
    text = "cursor is none of this API: send `next` of the page before, or leave it out."
    return Problem("InvalidRequest", text, more={"parameter": "cursor"})
