"""One thing has one name: names that were replaced do not come back."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = ("core", "adapters", "operator", "worker", "gateway")
SOURCES = sorted(path for folder in PROGRAMS for path in (ROOT / folder).rglob("*.py"))
#: Module names that the field's terms replaced. What each is called now is in the history of this file's commit.
REPLACED = frozenset(
    {
        *(
            "parts",
            "wiring",
            "handler",
            "receive",
            "prepare",
            "judge",
            "follow",
            "ear",
            "calls",
            "comfyprocess",
        ),
        *("finish", "records", "announce", "sender", "gate", "patience", "probe", "media"),
        *(
            "owner",
            "declarer",
            "pinning",
            "engine",
            "housekeeper",
            "shelf",
            "steps",
            "claims",
            "link",
            "reach",
        ),
        *("cost", "words", "fate", "hosts", "crowd", "lane"),
    }
)
#: A record of the ledger is one: ``genpool_core/ledger/records.py``.
KEPT = frozenset({"core/genpool_core/ledger/records.py"})


def test_the_sources_are_found() -> None:
    assert len(SOURCES) > 100


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_has_a_name_that_was_replaced(path: Path) -> None:
    assert path.stem not in REPLACED or str(path.relative_to(ROOT)) in KEPT


def test_no_two_classes_of_one_program_or_of_what_it_imports_share_a_name() -> None:
    """``Store`` of the worker and of the operator are two programs' ports; a shared package's names are everybody's."""
    defined: dict[str, Counter[str]] = {folder: Counter() for folder in PROGRAMS}
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        defined[path.relative_to(ROOT).parts[0]].update(name for name in names if not name.startswith("_"))
    shared = defined["core"] + defined["adapters"]
    for program in ("operator", "worker", "gateway"):
        seen = shared + defined[program]
        assert {name for name, count in seen.items() if count > 1} == set(), program
