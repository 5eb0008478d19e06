"""The workflows that GenPool ships, one folder each."""

from __future__ import annotations

from pathlib import Path

from genpool_core.workflow.files import PARAMETERS, TEMPLATE, MissingFiles, WorkflowFiles

_PACKAGE = Path(__file__).resolve().parent


def default_workflows() -> Path:
    """The shipped workflows: in the installed package, else in the checkout."""
    installed = _PACKAGE / "workflows"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "workflows"


def shipped_files(folder: Path, name: str) -> WorkflowFiles | MissingFiles:
    """The files of a shipped workflow, by its folder's name."""
    known = sorted(path.parent.name for path in folder.glob(f"*/{PARAMETERS}"))
    # Only names that are there are opened, so a name cannot lead anywhere else.
    if name not in known:
        return MissingFiles(f"GenPool ships no workflow {name}. It ships: {', '.join(known)}.")
    try:
        return WorkflowFiles(
            (folder / name / TEMPLATE).read_text(encoding="utf-8"),
            (folder / name / PARAMETERS).read_text(encoding="utf-8"),
        )
    except OSError as error:
        return MissingFiles(f"its shipped files cannot be read ({type(error).__name__}): reinstall GenPool.")
