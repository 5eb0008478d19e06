"""What ComfyUI can put into its folders, and what the worker then takes away: never what lies elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from genpool_worker.files.no_links import MAX_DEPTH, remove_file, remove_tree
from genpool_worker.files.workdir import WorkDir, clean_leftovers
from genpool_worker.ports import OutputRef


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of the worker's, outside of what ComfyUI mounts."""
    file = tmp_path / "elsewhere" / "label" / "secret"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    return file


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    for name in ("input", "output", "temp", "worker"):
        (tmp_path / "scratch" / name).mkdir(parents=True)
    return tmp_path / "scratch"


def _a_link(path: Path, precious: Path) -> None:
    path.symlink_to(precious)


def _a_link_to_a_folder(path: Path, precious: Path) -> None:
    path.symlink_to(precious.parent)


def _a_hard_link(path: Path, precious: Path) -> None:
    path.hardlink_to(precious)


def _a_pipe(path: Path, _precious: Path) -> None:
    os.mkfifo(path)


def _a_folder_with_all(path: Path, precious: Path) -> None:
    path.mkdir()
    for number, put in enumerate((_a_link, _a_link_to_a_folder, _a_hard_link, _a_pipe)):
        put(path / str(number), precious)


THINGS = [_a_link, _a_link_to_a_folder, _a_hard_link, _a_pipe, _a_folder_with_all]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("put", THINGS)
def test_a_thing_is_taken_away_and_what_it_points_at_stays(
    scratch: Path, precious: Path, put: Callable[[Path, Path], None]
) -> None:
    put(scratch / "output" / "thing", precious)
    remove_tree(scratch / "output", "thing")
    assert not list((scratch / "output").iterdir())
    assert precious.read_text() == "x"


@pytest.mark.timeout(10)
@pytest.mark.parametrize("put", THINGS[:4])
def test_a_result_of_any_kind_is_taken_away(
    scratch: Path, precious: Path, put: Callable[[Path, Path], None]
) -> None:
    put(scratch / "output" / "a.png", precious)
    WorkDir(scratch, "label").clean([OutputRef("1", "images", "a.png", "", "output")])
    assert not list((scratch / "output").iterdir())
    assert precious.exists()


@pytest.mark.parametrize("folder", ["input", "output"])
def test_a_folder_that_was_swapped_for_a_link_is_not_entered(
    scratch: Path, precious: Path, folder: str
) -> None:
    """``output/genpool`` leads to the worker's own folder: the path of the attempt exists there."""
    (scratch / folder / "genpool").symlink_to(precious.parents[1])
    WorkDir(scratch, "label").clean([OutputRef("1", "images", "secret", "genpool/label", folder)])
    assert precious.exists()
    clean_leftovers(scratch)
    assert precious.exists()
    assert not list((scratch / folder).iterdir())


def test_a_link_on_the_way_is_told(scratch: Path, precious: Path) -> None:
    (scratch / "output" / "way").symlink_to(precious.parent)
    for remove in (remove_file, remove_tree):
        with pytest.raises(OSError, match="way"):
            remove(scratch / "output", "way/secret")
    assert precious.exists()


@pytest.mark.parametrize("path", ["../elsewhere/label/secret", "/etc/passwd", "a/../../b", "", "a\0b"])
def test_a_path_that_leads_out_is_refused(scratch: Path, path: str) -> None:
    for remove in (remove_file, remove_tree):
        with pytest.raises(OSError, match="no path in its folder"):
            remove(scratch / "output", path)


def test_what_is_not_there_needs_nothing(scratch: Path) -> None:
    remove_tree(scratch / "output", "genpool/label")
    remove_file(scratch / "nowhere", "a.png")


def test_folders_without_end_are_given_up(scratch: Path) -> None:
    deep = scratch / "output" / "genpool" / Path(*["d"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    with pytest.raises(OSError, match="without end"):
        remove_tree(scratch / "output", "genpool")
    clean_leftovers(scratch)


def test_its_own_copies_lie_where_comfyui_has_nothing_mounted(scratch: Path) -> None:
    workdir = WorkDir(scratch, "label")
    copy = workdir.file(0)
    assert copy.is_relative_to(scratch / "worker")
    copy.write_text("x")
    workdir.clean([])
    assert not list((scratch / "worker").iterdir())
    workdir.file(0).write_text("x")
    clean_leftovers(scratch)
    assert not list((scratch / "worker").iterdir())
