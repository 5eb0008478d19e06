"""The page's words: both languages say all of them, and each reason has its sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genpool_core.image_types import IMAGE_TYPES
from genpool_core.reasons import REASONS
from genpool_gateway.api.web_page import FOLDER, policy, read_files

JS = FOLDER / "js"
_KEY = re.compile(r'(?:^|[{,]\s*|\s)(?:"([^"]+)"|([A-Za-z]\w*)):\s*(?=["\[])', re.MULTILINE)
_USED = re.compile(r'\bt\("([^"]+)"')
_MOST_LINES = 400


def _keys(name: str) -> set[str]:
    text = re.sub(
        r":\s*\[?\"(?:[^\"\\]|\\.)*\"(?:, \"(?:[^\"\\]|\\.)*\"\])?",
        ': ""',
        (JS / "words" / name).read_text(encoding="utf-8"),
    )
    return {quoted or plain for quoted, plain in _KEY.findall(text)}


def test_each_word_is_there_in_both_languages() -> None:
    english, chinese = _keys("en.js"), {key for key in _keys("zh.js") if not key.startswith("help.")}
    assert len(english) > 150
    assert english == chinese


def test_each_word_that_the_page_uses_is_there() -> None:
    english = _keys("en.js")
    for path in JS.rglob("*.js"):
        used = set(_USED.findall(path.read_text(encoding="utf-8")))
        assert used <= english, (path.name, used - english)


def test_each_reason_is_said_in_chinese() -> None:
    assert _keys("reasons.zh.js") == set(REASONS)


def test_the_page_offers_what_workers_read() -> None:
    text = (JS / "parts/photos.js").read_text(encoding="utf-8")
    (types,) = re.findall(r"IMAGE_TYPES = \[([^\]]*)\]", text)
    assert set(re.findall(r'"([^"]+)"', types)) == IMAGE_TYPES


def test_help_of_shipped_workflows_is_said_in_chinese() -> None:
    said = {key.removeprefix("help.") for key in _keys("zh.js") if key.startswith("help.")}
    shipped = Path(__file__).parents[3] / "workflows"
    texts = set()
    for file in shipped.glob("*/workflow.yaml"):
        texts |= set(
            re.findall(
                r"description: ([A-Z][^,}\n]*(?:, [^,}\n]*)*?)(?:, default|, minimum|}|\n)",
                file.read_text(encoding="utf-8"),
            )
        )
    assert texts, "the workflows have help"
    assert {text.strip() for text in texts} <= said


@pytest.mark.parametrize(
    "path",
    sorted(
        path for path in FOLDER.rglob("*") if path.suffix in {".js", ".css"} and "vendor" not in path.parts
    ),
)
def test_a_file_of_the_page_has_one_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= _MOST_LINES


def test_the_page_is_small() -> None:
    files = read_files(FOLDER)
    assert sum(map(len, files.bodies.values())) < 300_000


def test_another_file_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!--modules-->\n{version}", encoding="utf-8")
    (tmp_path / "main.js").write_text("1", encoding="utf-8")
    before = read_files(tmp_path)
    assert f'href="/page/{before.version}/main.js"' in before.index()
    (tmp_path / "main.js").write_text("2", encoding="utf-8")
    assert read_files(tmp_path).version != before.version


def test_the_policy_names_each_origin_once() -> None:
    found = policy(["https://b.example.org", "https://a.example.org", "https://a.example.org"])
    assert "img-src 'self' data: blob: https://a.example.org https://b.example.org;" in found
    assert "'unsafe" not in found
