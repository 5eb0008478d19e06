"""Waiting for a condition, with a deadline and a sentence about what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from genpool_dev.stack.errors import StackError

Value = TypeVar("Value")


def wait_for(
    probe: Callable[[], Value | None],
    what: str,
    *,
    seconds: float,
    pause: float = 0.2,
    hint: Callable[[], str] | None = None,
) -> Value:
    """Call ``probe`` until it returns something other than None or False, and return that.

    Raises
    ------
    StackError
        ``seconds`` went by; the message names ``what`` and adds what ``hint`` says then.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value is not None and value is not False:
            return value
        if time.monotonic() > deadline:
            more = f" {hint()}" if hint else ""
            raise StackError(f"Waited {seconds:.0f} s in vain for {what}.{more}")
        time.sleep(pause)
