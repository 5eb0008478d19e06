"""A mounted Secret, as the kubelet lays it out and renews it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_adapters.secret_files import read_secret
from genpool_core.errors import SettingsError
from support.secret_volume import write_secret


def read(folder: Path) -> tuple[str, ...]:
    return read_secret(folder, "username", "password", whose="the user")


def test_a_new_version_is_read(tmp_path: Path) -> None:
    write_secret(tmp_path, username="u", password="one")
    assert read(tmp_path) == ("u", "one")
    write_secret(tmp_path, username="v", password="two")
    assert read(tmp_path) == ("v", "two")


def test_plain_files_by_hand(tmp_path: Path) -> None:
    (tmp_path / "username").write_text("u\n")
    (tmp_path / "password").write_text("p\r\n")
    assert read(tmp_path) == ("u", "p")


def test_all_keys_are_of_one_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link moves between the two reads, and the old folder goes."""
    write_secret(tmp_path, username="u", password="one")
    reading, moved = Path.read_text, []

    def read_text(path: Path, **options: str) -> str:
        if path.name == "password" and not moved:
            moved.append(path)
            write_secret(tmp_path, username="v", password="two")
        return reading(path, **options)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert read(tmp_path) == ("v", "two")
    assert moved


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"username": "u"}, "the user: {path}/password cannot be read (FileNotFoundError)."),
        ({"username": "u", "password": ""}, "the user: {path}/password is empty."),
        ({"username": "u", "password": "\n"}, "the user: {path}/password is empty."),
        ({}, "the user: {path}/username cannot be read (FileNotFoundError)."),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, values: dict[str, str], said: str) -> None:
    write_secret(tmp_path, **values)
    with pytest.raises(SettingsError) as caught:
        read(tmp_path)
    hint = " Its Secret needs the keys username and password."
    assert caught.value.message == said.format(path=tmp_path) + hint


def test_no_text_is_told_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "username").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"username cannot be read \(UnicodeDecodeError\)") as caught:
        read(tmp_path)
    assert "xff" not in caught.value.message
