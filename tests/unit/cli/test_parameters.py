"""Words of the command line as parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_cli.errors import CliError, ExitCode
from genpool_cli.parameters import parse_parameters


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("steps=20", 20),
        ("cfg=7.5", 7.5),
        ("tiled=true", True),
        ("mask=null", None),
        ("prompt=a lake, at dawn", "a lake, at dawn"),
        ("prompt=a=b", "a=b"),
        ("prompt=", ""),
        ("prompt=図", "図"),
        ('prompt="20"', "20"),
        ("cfg=NaN", "NaN"),
        ('sizes=[1,{"a":2}]', [1, {"a": 2}]),
    ],
)
def test_a_word(word: str, value: object) -> None:
    (found,) = parse_parameters([word]).values()
    assert (found, type(found)) == (value, type(value))


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "prompt").write_text("a lake,\nat dawn\n", encoding="utf-8")
    assert parse_parameters([f"prompt=@{tmp_path}/prompt"]) == {"prompt": "a lake,\nat dawn"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["steps"], "'steps' is no parameter: write it as NAME=VALUE."),
        (["=20"], "'=20' is no parameter: write it as NAME=VALUE."),
        (["a=1", "a=2"], "Parameter a is given twice."),
    ],
)
def test_wrong_use(words: list[str], sentence: str) -> None:
    with pytest.raises(CliError) as caught:
        parse_parameters(words)
    assert (caught.value.message, caught.value.exit_code) == (sentence, ExitCode.USAGE)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"Parameter prompt: .* cannot be read"):
        parse_parameters([f"prompt=@{tmp_path}/none"])
