"""Links of the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("changelog.d", "charts", "dev", "docs", "images", "tests", "workflows")
PAGES = sorted([*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))])
#: Target of a link within the repository, without its anchor.
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def test_what_a_link_is() -> None:
    text = "[a](b.md) ![c](d/e.png) [f](g.md#h) [i](#j) [k](https://l.example/m.md) [n](mailto:o@p.example)"
    assert _LINK.findall(text) == ["b.md", "d/e.png", "g.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not broken
