"""``docs/explanation/timing.md``: every time of GenPool, the three lines on which they meet, and their rules."""

from __future__ import annotations

from genpool_dev.generate.timing_drawing import for_people, in_seconds
from genpool_dev.generate.timing_lines import drained_pod, from_zero_and_back, lost_worker
from genpool_dev.generate.timing_source import Section, Time, sections

_HEAD = """<!-- Generated from core/genpool_core/timing.py and timing_rules.py by `make generate`. Do not edit. -->

# Waits, leases and graces

How long GenPool's programs wait for something, and how these times fit each other. The first three sections draw the
ways on which most of them meet, each wait as long as it may be. The others list every constant by subject, and below
it the inequalities that must hold, with the reason for each. How long commands take on one machine is another page,
[Times that were seen](times.md).

To change a time, edit `core/genpool_core/timing.py` and run `make unit`: a test evaluates every rule, and one that does
not hold any more says why it was made. Then run `make generate` for this page. A new time needs a rule in
`core/genpool_core/timing_rules.py` that binds it; a wait that is written as a number anywhere else is found by the same
test.
"""
_RULES = """| rule (without `_SECONDS`) | with these values | so that |
|---|---|---|"""


def page() -> str:
    """The page in Markdown."""
    lines = (lost_worker(), drained_pod(), from_zero_and_back())
    return "\n".join(
        [_HEAD, *(f"{line}\n" for line in lines), *(_section(section) for section in sections())]
    )


def _section(section: Section) -> str:
    times = "\n".join(
        f"| `{time.name}` | {_value(time)} | {_markdown(time.meaning)} |" for time in section.times
    )
    rules = "\n".join(f"| `{rule.holds}` | {rule.numbers} | {rule.why} |" for rule in section.rules)
    return (
        f"## {section.title}\n\n| constant | value | meaning |\n|---|---|---|\n{times}\n\n{_RULES}\n{rules}\n"
    )


def _value(time: Time) -> str:
    """Seconds, and in a larger unit where that is easier to read; a plain number where the name says no seconds."""
    if isinstance(time.value, tuple):
        return ", ".join(for_people(step) for step in time.value)
    if not time.name.endswith("_SECONDS"):
        return f"{time.value:g}"
    short, plain = for_people(time.value), in_seconds(time.value)
    return plain if short == plain else f"{plain} ({short})"


def _markdown(docstring: str) -> str:
    return " ".join(docstring.replace("``", "`").split())
