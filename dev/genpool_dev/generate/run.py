"""Write the generated files, or say which of them differ."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from genpool_dev import chartvalues
from genpool_dev.generate import (
    commands,
    crd,
    dashboard,
    messages,
    openapi,
    page_reasons,
    reasons,
    reference,
    settings,
    timing,
)

ROOT = Path(__file__).resolve().parents[3]


def outputs() -> dict[Path, str]:
    """Every generated file, by its path from the root of the repository."""
    manifest = crd.manifest_yaml()
    return {
        Path("crds/genpool.dev_generationpools.yaml"): manifest,
        Path("charts/genpool/files/crd/generationpools.yaml"): manifest,
        Path("docs/reference/generationpool.md"): reference.page(),
        Path("docs/reference/settings.md"): settings.page(),
        Path("docs/reference/commands.md"): commands.page(),
        Path("docs/reference/reasons.md"): reasons.page(),
        Path("gateway/genpool_gateway/page/js/words/reasons.en.js"): page_reasons.module(),
        Path("docs/reference/openapi.json"): openapi.document_text(),
        Path("docs/explanation/timing.md"): timing.page(),
        Path("charts/genpool/values.schema.json"): chartvalues.schema_text(),
        Path("charts/genpool/files/monitoring/dashboard.json"): dashboard.dashboard_text(),
        **messages.schema_files(),
    }


def main(*, check: bool = False) -> int:
    """Write all files and return 0; with ``check`` write none and return 1 where one differs."""
    stale = [path for path, text in outputs().items() if _differs(ROOT / path, text)]
    if not check:
        for path in stale:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(outputs()[path], encoding="utf-8")
            print(f"wrote {path}")
        return 0
    for path in stale:
        print(f"{path} is not what its source gives: run `make generate` and commit it.")
        _show(ROOT / path, outputs()[path])
    return 1 if stale else 0


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def _show(path: Path, text: str) -> None:
    """The first lines of the difference, so that a log alone tells what was edited."""
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    diff = difflib.unified_diff(old, text.splitlines(), "committed", "generated", lineterm="", n=1)
    sys.stdout.writelines(f"    {line}\n" for line in list(diff)[:20])
