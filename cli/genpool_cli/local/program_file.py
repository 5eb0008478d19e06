"""The programs of a local GenPool, as they are handed to its supervisor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from genpool_cli.local.folder import Folder, write
from genpool_cli.local.supervision import Probe, Program

_NAME = "programs.json"


def write_programs(folder: Folder, programs: Sequence[Program]) -> None:
    """Write them down. They hold passwords: the file is its owner's alone."""
    write(folder.work / _NAME, json.dumps([asdict(program) for program in programs]))


def read_programs(folder: Folder) -> list[Program]:
    """Those that were written down last. Raises OSError where there are none."""
    found = json.loads((folder.work / _NAME).read_text(encoding="utf-8"))
    return [Program(**{**each, "command": tuple(each["command"]), "probe": _probe(each)}) for each in found]


def _probe(written: dict[str, Any]) -> Probe | None:
    found = written["probe"]
    return None if found is None else Probe(**found)
