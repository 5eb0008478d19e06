"""Secrets as files: the folder of a mounted Secret, read anew whenever it is used, so that a rotated one counts."""

from __future__ import annotations

from pathlib import Path

from genpool_core.errors import SettingsError

REASON = "SecretMissing"


def read_secret(folder: Path, *keys: str, whose: str, reason: str = REASON) -> tuple[str, ...]:
    """Values of the keys, all of one version of the Secret, without the line feeds at their ends.

    The kubelet puts a new version into another folder and moves the link ``..data``. That is followed once for all
    keys, and once more where the old folder was taken away meanwhile. ``whose`` begins each sentence, as
    ``broker default``.

    Raises
    ------
    SettingsError
        A key is missing, empty, no text, or cannot be read. Never holds a value.
    """
    try:
        return _read(folder, keys, whose, reason)
    except SettingsError:
        return _read(folder, keys, whose, reason)


def _read(folder: Path, keys: tuple[str, ...], whose: str, reason: str) -> tuple[str, ...]:
    version = (folder / "..data").resolve() if (folder / "..data").exists() else folder
    hint = f"Its Secret needs the keys {' and '.join(keys)}."
    values: list[str] = []
    for key in keys:
        try:
            value = (version / key).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            said = f"{whose}: {folder / key} cannot be read ({type(error).__name__}). {hint}"
            raise SettingsError(said, reason=reason) from None
        if not value:
            raise SettingsError(f"{whose}: {folder / key} is empty. {hint}", reason=reason)
        values.append(value)
    return tuple(values)
