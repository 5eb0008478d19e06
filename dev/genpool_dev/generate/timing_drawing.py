"""Lines of time as text, to scale, one row for each thing that lasts; and paragraphs around them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

_COLUMNS = 48
_LABEL = 31
_WIDTH = 120


@dataclass(frozen=True)
class Row:
    """``spans``: (begin, end) in seconds; one of no length is a point in time. ``note`` stands at the right."""

    label: str
    spans: tuple[tuple[float, float], ...]
    note: str = ""
    fill: str = "─"


def bar(label: str, begin: float, end: float, note: str = "", *, fill: str = "─") -> Row:
    """A row with one bar; its length is the note where there is none."""
    return Row(label, ((begin, end),), note or in_seconds(end - begin), fill)


def points(label: str, at: Sequence[float], note: str = "") -> Row:
    """A row with points in time."""
    return Row(label, tuple((time, time) for time in at), note)


def draw(rows: Sequence[Row], total: float, *, to_scale: bool = True) -> str:
    """A fenced block of Markdown with the rows from 0 to ``total`` seconds."""
    end = in_seconds(total) if to_scale else "…"
    scale = f"{'':{_LABEL}}{'0 s':<{_COLUMNS + 1 - len(end)}}{end}"
    lines = [f"{row.label:<{_LABEL}}{_canvas(row, total)}  {row.note}".rstrip() for row in rows]
    return "\n".join(["```text", scale, *lines, "```"])


def paragraph(text: str) -> str:
    """Text in lines."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def bullets(*items: str) -> str:
    """A list of Markdown."""
    return "\n".join(paragraph(f"* {item}").replace("\n", "\n  ") for item in items)


def in_seconds(value: float) -> str:
    """``2 ms``, ``0.5 s``, ``30 s``."""
    if 0 < value * 100 < 1:
        return f"{value * 1000:g} ms"
    return f"{round(value, 2):,g} s"


def for_people(value: float) -> str:
    """``30 s``, ``10 min``, ``24 h``: in the largest unit that leaves no fraction, from 2 minutes on."""
    for size, unit in ((3600, "h"), (60, "min")):
        if value >= max(size, 120) and value % size == 0:
            return f"{value / size:g} {unit}"
    return in_seconds(value)


def _canvas(row: Row, total: float) -> str:
    canvas = [" "] * (_COLUMNS + 1)
    for begin, end in row.spans:
        first, last = (round(time / total * _COLUMNS) for time in (begin, end))
        if begin == end:
            canvas[first] = "●"
            continue
        canvas[first : last + 1] = [row.fill] * (last - first + 1)
        canvas[first], canvas[last] = ("├", "┤") if last > first else ("│", "│")
    return "".join(canvas)
