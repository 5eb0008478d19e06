"""The environment variables of the three programs, from their settings models."""

from __future__ import annotations

from pathlib import Path

from pydantic.fields import FieldInfo

from genpool_adapters.settings import ProgramSettings, variable
from genpool_gateway.settings import GatewaySettings
from genpool_operator.settings import OperatorSettings
from genpool_worker.settings import WorkerSettings

_ROOT = Path(__file__).resolve().parents[3]
_HEAD = """<!-- Generated from the programs' settings by `make generate`. Do not edit. -->

# Settings of the programs

Environment variables. The chart and the operator set them; you need this page only to run a program by hand.
"""
_PROGRAMS: tuple[tuple[str, type[ProgramSettings]], ...] = (
    ("Operator", OperatorSettings),
    ("Worker", WorkerSettings),
    ("Gateway", GatewaySettings),
)


def page() -> str:
    """The page in Markdown: a table for each program."""
    return _HEAD + "".join(f"\n## {name}\n\n{_table(model)}\n" for name, model in _PROGRAMS)


def _table(model: type[ProgramSettings]) -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    rows += [
        f"| `{variable(name)}` | {_default(field)} | {_text(field)} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(rows)


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").replace("``", "`").split())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Path) and value.is_relative_to(_ROOT):
        return f"`{value.relative_to(_ROOT)}/` of the sources"
    return "" if value in (None, "", [], ()) else f"`{value}`"
