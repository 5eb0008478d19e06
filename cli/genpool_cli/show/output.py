"""Tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from rich.console import Console, RenderableType
from rich.table import Table

#: More than any line needs.
_WIDE = 10_000


class Format(StrEnum):
    """Of what a command prints."""

    TABLE = "table"
    JSON = "json"


def out(shown: RenderableType) -> None:
    """Print an answer. Where no person sees it, lines are neither cut nor filled up."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(shown)
        return
    wide = Console(file=io.StringIO(), highlight=False, width=_WIDE)
    with wide.capture() as captured:
        wide.print(shown)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def note(text: str) -> None:
    """Say something beside the answer."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def as_json(found: object) -> None:
    """Print JSON, one document."""
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def as_lines(found: object) -> None:
    """Print one JSON document in a line, for commands that say more than one thing."""
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows under upper-case heads, as kubectl does; ``empty`` where there is none."""
    shown = Table(box=None, pad_edge=False, header_style="")
    for name in columns:
        shown.add_column(name.upper(), overflow="fold")
    for row in rows:
        shown.add_row(*(plain(cell) for cell in row))
    if shown.row_count:
        out(shown)
    else:
        note(empty)


def facts(rows: Iterable[tuple[str, object]]) -> None:
    """Print names and what they stand for, without those of which nothing is known."""
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, "", [], {}):
            shown.add_row(plain(name), plain(value))
    out(shown)


def plain(value: object) -> str:
    """A cell; what is not known is a dash. Brackets stay what they are."""
    if value is None or value == "":
        return "-"
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return text.replace("[", r"\[")


def age(time: object, now: datetime | None = None) -> str | None:
    """How long ago an instant of the API was, as kubectl says it."""
    if not isinstance(time, str):
        return None
    return duration(((now or datetime.now(UTC)) - datetime.fromisoformat(time)).total_seconds())


def duration(seconds: float) -> str:
    """Such as 45s, 12m, 3h, 9d."""
    amount = max(0, round(seconds))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if amount >= 2 * size:
            return f"{amount // size}{unit}"
    return f"{amount}s"
