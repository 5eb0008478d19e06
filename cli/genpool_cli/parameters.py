"""Parameters from the command line. Pure but for files that are named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from genpool_cli.errors import WrongUse
from genpool_core.jsontypes import JsonObject, JsonValue


def parse_parameters(given: Iterable[str]) -> JsonObject:
    """``name=value`` words as an object. ``steps=20`` is a number; ``prompt=@file`` reads a file.

    Raises
    ------
    CliError
        One has no name, comes twice, or names a file that cannot be read.
    """
    found: JsonObject = {}
    for word in given:
        name, separator, text = word.partition("=")
        if not separator or not name:
            raise WrongUse(f"{word!r} is no parameter: write it as NAME=VALUE.")
        if name in found:
            raise WrongUse(f"Parameter {name} is given twice.")
        found[name] = _words(name, text[1:]) if text.startswith("@") else _value(text)
    return found


def _value(text: str) -> JsonValue:
    """A JSON value where it is one, except that large numbers and special words stay what was typed."""
    try:
        value: JsonValue = json.loads(text, parse_constant=str)
    except ValueError:
        return text
    return text if isinstance(value, str) and not text.startswith('"') else value


def _words(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"Parameter {name}: {path} cannot be read ({error}).") from error
