"""``genpool dlq`` with ``--intake`` and ``--messages``: what became no task is listed, replayed and thrown away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from genpool_cli.errors import ExitCode
from integration.broker import until
from integration.cli.machine import Machine

POOL = ("--pool", "art/text", "--intake")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for the module: it takes a while to start."""
    place = tmp_path_factory.mktemp("machine")
    made = Machine(place, {"type": "Folder", "folder": {"path": str(place / "results")}}, intake="all_tasks")
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


@pytest.mark.long
def test_messages_of_a_pool_that_are_no_tasks(machine: Machine) -> None:
    pool = ("--pool", "art/text")
    machine.publish("generation_tasks", "no json")
    until(lambda: len(_messages(machine)) == 1, "the worker has put it aside", 60)
    assert json.loads(machine.types("dlq", "list", *pool, "-o", "json")) == []
    printed = machine.types("dlq", "list", "--messages", *pool)
    assert "InvalidMessage" in printed
    assert _messages(machine, "--reason", "NodeFailed") == []
    machine.types("dlq", "list", "--messages", expect=ExitCode.USAGE)
    machine.types("dlq", "list", "--messages", "--intake", *pool, expect=ExitCode.USAGE)
    machine.types("dlq", "discard", *pool, "--reason", "InvalidMessage", "--yes")
    assert _messages(machine) == []


def _messages(machine: Machine, *words: str) -> list[dict[str, Any]]:
    return _listed(machine, "messages", "--pool", "art/text", "--messages", *words)


def _letters(machine: Machine, *words: str) -> list[dict[str, Any]]:
    return _listed(machine, "letters", *POOL, *words)


def _listed(machine: Machine, member: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(machine.types("dlq", "list", *words, "-o", "json"))[member]
    return found
