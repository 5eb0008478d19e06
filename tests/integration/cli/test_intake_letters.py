"""``genpool dlq --intake``: messages of an intake that became no task, listed, replayed and thrown away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genpool_cli.errors import ExitCode
from integration.broker import until
from integration.cli.machine import Machine

POOL = ("--pool", "art/text", "--intake")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(
        tmp_path, {"type": "Folder", "folder": {"path": str(tmp_path / "results")}}, intake="all_tasks"
    )
    made.write_pool()
    made.up()
    yield made
    made.local("down")
    made.clean()


@pytest.mark.long
def test_letters_of_an_intake(machine: Machine) -> None:
    machine.publish("all_tasks", "no json")
    machine.publish("all_tasks", json.dumps({"task_id": "t", "workflow_type": "cats.json"}))
    until(lambda: len(_letters(machine)) == 2, "both are refused", 60)
    (cats,) = [each for each in _letters(machine) if each["workflow_type"] == "cats.json"]
    assert cats["reason"] in machine.types("dlq", "list", *POOL)
    assert [each["id"] for each in _letters(machine, "--reason", cats["reason"])] == [cats["id"]]
    # What is put into the intake again is refused again.
    assert json.loads(machine.types("dlq", "replay", *POOL, cats["id"], "-o", "json"))["letters"] == [
        cats["id"]
    ]
    until(lambda: len(_letters(machine)) == 2, "it comes back", 60)
    done = json.loads(machine.types("dlq", "discard", *POOL, "--all", "--yes", "-o", "json"))
    assert (len(done["letters"]), done["kept"]) == (2, 0)
    assert _letters(machine) == []
    machine.types("dlq", "list", "--intake", expect=ExitCode.USAGE)
    machine.types("dlq", "replay", *POOL, expect=ExitCode.USAGE)


def _letters(machine: Machine, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(machine.types("dlq", "list", *POOL, *words, "-o", "json"))[
        "letters"
    ]
    return found
