"""The commands of a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

#: Languages of fenced blocks that hold something else.
_NO_COMMANDS = frozenset({"json", "yaml", "mermaid", "python"})
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?:    \S.*\n)+")
_COMMENT = re.compile(r"\s+# .*$")


def commands(page: str) -> list[str]:
    """All commands, each in one line, without prompts, comments and what they print."""
    blocks = [(found.start(), found["language"], found["text"]) for found in _FENCE.finditer(page)]
    plain = _FENCE.sub(lambda found: "\n" * len(found[0]), page)
    blocks += [(found.start(), "", found[0]) for found in _INDENTED.finditer(plain)]
    lines = [line for _, language, text in sorted(blocks) for line in _lines(language, text)]
    return [found for line in lines if (found := _COMMENT.sub("", line).strip())]


def _lines(language: str, text: str) -> Iterator[str]:
    if language in _NO_COMMANDS:
        return
    whole = re.sub(r"\s*\\\n\s*", " ", text)
    for line in whole.splitlines():
        if language == "console":
            if line.startswith("$ "):
                yield line.removeprefix("$ ")
        else:
            yield line


def by_hand(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of somebody's terminal: a make below another one would say where it enters and leaves. Pure."""
    return {name: value for name, value in environment.items() if not name.startswith(("MAKE", "MFLAGS"))}
