"""The reasons with their numbers, from ``genpool_core.reasons``."""

from __future__ import annotations

from genpool_core.reasons import RANGES, REASONS, Reason

_HEAD = """<!-- Generated from core/genpool_core/reasons.py by `make generate`. Do not edit. -->

# Reasons and their numbers

A task that ends, an attempt that fails, a callback that is given up and a request that is refused carry a `reason` and
its number `code`. Both stay as they are from release to release. `0` is `Succeeded`.
"""


def page() -> str:
    """The page in Markdown: a table for each range of numbers."""
    return _HEAD + "".join(
        f"\n## {number}xxx: {title[0].lower()}{title[1:]}\n\n{_table(number)}"
        for number, title in RANGES.items()
    )


def _table(number: int) -> str:
    found = {
        name: reason for name, reason in REASONS.items() if reason.code // 1000 == number and reason.code
    }
    if not found:
        return "None yet.\n"
    rows = ["| code | reason | what happened | what to do |", "|---|---|---|---|"]
    rows += [_row(name, reason) for name, reason in sorted(found.items(), key=lambda item: item[1].code)]
    return "\n".join(rows) + "\n"


def _row(name: str, reason: Reason) -> str:
    return f"| {reason.code} | `{name}` | {reason.happened} | {reason.advice} |"
