"""The times and rules of ``genpool_core`` as values for a page: names, values, docstrings, sections."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genpool_core import timing, timing_cli, timing_gateway
from genpool_core.timing_rules import RULES

Value = float | tuple[int, ...]
_SECTION = re.compile(r"^# (.+?) -+$")
_SIGNS = (("<=", "≤"), (">=", "≥"), ("==", "="), ("*", "×"))  # noqa: RUF001 - for people, not for Python
_OPERATORS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "≤", ast.GtE: "≥"}


@dataclass(frozen=True)
class Time:
    """A constant: its name, its value, and the docstring below it."""

    name: str
    value: Value
    meaning: str


@dataclass(frozen=True)
class ReadableRule:
    """A rule for people. ``numbers``: its sides evaluated, as ``15 < 30``; empty where they are no numbers."""

    holds: str
    numbers: str
    why: str


@dataclass(frozen=True)
class Section:
    """What stands below one heading of the module."""

    title: str
    times: tuple[Time, ...]
    rules: tuple[ReadableRule, ...]


def sections() -> tuple[Section, ...]:
    """All sections in the order of the files; a ValueError where a constant has no docstring or no heading."""
    return tuple(
        section
        for module in (timing, timing_gateway, timing_cli)
        for section in _sections_of(Path(str(module.__file__)))
    )


def _sections_of(path: Path) -> Iterator[Section]:
    text = path.read_text(encoding="utf-8")
    headings = [
        (number, found[1])
        for number, line in enumerate(text.splitlines(), 1)
        if (found := _SECTION.match(line))
    ]
    times: dict[str, list[Time]] = {title: [] for _, title in headings}
    for line, time in times_of(text):
        above = [title for number, title in headings if number < line]
        if not above:
            raise ValueError(f"{time.name} stands below no heading of {path.name}.")
        times[above[-1]].append(time)
    for title, constants in times.items():
        rules = tuple(_readable(rule.holds, rule.why) for rule in RULES[title])
        yield Section(title, tuple(constants), rules)


def times_of(text: str) -> list[tuple[int, Time]]:
    """Constants with their lines; the string below an assignment is its docstring."""
    body = ast.parse(text).body
    found: list[tuple[int, Time]] = []
    for node, below in zip(body, [*body[1:], None], strict=True):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not isinstance(target, ast.Name):
            continue
        if not (isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)):
            raise ValueError(f"{target.id} in timing.py has no docstring.")  # noqa: TRY004 - a fault of the file
        found.append((node.lineno, Time(target.id, getattr(timing, target.id), str(below.value.value))))
    return found


def _readable(holds: str, why: str) -> ReadableRule:
    text = re.sub(r"\b([A-Z_]+)_SECONDS\b", r"\1", holds)
    for python, sign in _SIGNS:
        text = text.replace(python, sign)
    return ReadableRule(text, _numbers(holds), why)


def _numbers(holds: str) -> str:
    comparison = ast.parse(holds, mode="eval").body
    if not isinstance(comparison, ast.Compare):
        return ""
    sides = [_evaluated(side) for side in (comparison.left, *comparison.comparators)]
    signs = [_OPERATORS.get(type(sign)) for sign in comparison.ops]
    if not all(isinstance(side, (int, float)) for side in sides) or not all(signs):
        return ""
    return f"{sides[0]:,g}" + "".join(
        f" {sign} {side:,g}" for sign, side in zip(signs, sides[1:], strict=True)
    )


def _evaluated(side: ast.expr) -> object:
    code = compile(ast.Expression(side), "timing_rules.py", "eval")
    return eval(code, {}, vars(timing))  # noqa: S307 - our own file
