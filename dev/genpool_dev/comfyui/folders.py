"""The input, output and temp folders: safe paths, uploads, and the names that SaveImage gives."""

from __future__ import annotations

import getpass
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ANNOTATION = re.compile(r"^(?P<name>.*) \[(?P<kind>input|output|temp)\]$")


class OutsideError(ValueError):
    """A name leads out of its folder."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie, by ComfyUI's three types."""

    input: Path
    output: Path
    temp: Path

    def prepare(self) -> None:
        """Make the folders; empty temp, as ComfyUI does at each start."""
        shutil.rmtree(self.temp, ignore_errors=True)
        for folder in (self.input, self.output, self.temp):
            folder.mkdir(parents=True, exist_ok=True)

    def of_type(self, kind: str) -> Path | None:
        """Return the folder of a type, None for no such type."""
        return {"input": self.input, "output": self.output, "temp": self.temp}.get(kind)

    def input_files(self) -> list[str]:
        """Return the names of the files directly in the input folder, sorted."""
        return sorted(entry.name for entry in self.input.iterdir() if entry.is_file())

    def input_path(self, name: str) -> Path:
        """Return where LoadImage finds a name; `a.png [output]` looks into the output folder.

        Raises
        ------
        OutsideError
            Where the name leads out of its folder.
        """
        found = _ANNOTATION.match(name)
        folder = self.input
        if found:
            name = found["name"]
            folder = self.of_type(found["kind"]) or folder
        return inside(folder, name)

    def has_input(self, name: str) -> bool:
        """Whether LoadImage would find the file."""
        try:
            return self.input_path(name).is_file()
        except OutsideError:
            return False


def prepare_user(folder: Path) -> None:
    """What a real ComfyUI needs of its user: a folder to write its database to, and a name for PyTorch's compiler.

    Raises
    ------
    OSError
        The folder cannot be made or written.
    KeyError
        The user has no name: neither USER nor LOGNAME is set, and the system knows none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comfyui.db").touch()
    try:
        getpass.getuser()
    except OSError as error:
        # Python 3.13 says it so.
        raise KeyError(str(error)) from error


def split_annotation(name: str) -> tuple[str, str | None]:
    """Split `a.png [temp]` into name and type; the type is None where none is given."""
    found = _ANNOTATION.match(name)
    return (found["name"], found["kind"]) if found else (name, None)


def inside(folder: Path, name: str) -> Path:
    """Return the path of a name below a folder.

    Raises
    ------
    OutsideError
        Where it leads out of it.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise OutsideError(f"'{name}' leads out of its folder")
    return path


def save_upload(folder: Path, subfolder: str, name: str, data: bytes, *, overwrite: bool) -> str:
    """Store an uploaded file and return the name it got.

    The same name with other bytes is renamed to `name (1).ext`, unless `overwrite`; the same name
    with the same bytes is kept.

    Raises
    ------
    OutsideError
        Where the name or the subfolder leads out of the folder.
    """
    target = inside(folder, str(PurePosixPath(subfolder) / name))
    target.parent.mkdir(parents=True, exist_ok=True)
    stem, suffix = target.stem, target.suffix
    count = 0
    while not overwrite and target.exists():
        if target.read_bytes() == data:
            return target.name
        count += 1
        target = target.with_name(f"{stem} ({count}){suffix}")
    target.write_bytes(data)
    return target.name


@dataclass(frozen=True, slots=True)
class SaveNames:
    """The names for one batch of images."""

    folder: Path
    subfolder: str
    stem: str
    counter: int

    def name(self, index: int) -> str:
        """Return the file name of the image with that index in the batch."""
        stem = self.stem.replace("%batch_num%", str(index))
        return f"{stem}_{self.counter + index:05}_.png"


def next_names(folder: Path, prefix: str, size: tuple[int, int]) -> SaveNames:
    """Choose the names for a prefix: the counter is the highest number present plus one.

    Raises
    ------
    OutsideError
        Where the prefix leads out of the folder.
    """
    prefix = prefix.replace("%width%", str(size[0])).replace("%height%", str(size[1]))
    path = PurePosixPath(prefix)
    subfolder = "" if str(path.parent) == "." else str(path.parent)
    stem = path.name
    try:
        target = inside(folder, subfolder)
    except OutsideError as error:
        raise OutsideError(
            "**** ERROR: Saving image outside the output folder is not allowed.\n"
            f" full_output_folder: {folder / subfolder}\n output_folder: {folder}\n"
        ) from error
    target.mkdir(parents=True, exist_ok=True)
    present = re.compile(rf"{re.escape(stem)}_(\d+)(?:_.*)?$")
    numbers = [int(m[1]) for entry in target.iterdir() if (m := present.match(entry.name))]
    return SaveNames(target, subfolder, stem, max(numbers, default=0) + 1)
