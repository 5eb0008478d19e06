"""What was done for which file outlives the program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from genpool_cli.batch.journal import Entry, Journal
from genpool_cli.errors import CliError

FIRST = Entry("k1", "照片/a.jpg", upload="upload:1/a.jpg")


def test_the_last_word_counts_also_for_the_next_program(tmp_path: Path) -> None:
    path = tmp_path / "out" / "journal"
    before = Journal(path)
    before.write(FIRST)
    last = before.write(replace(FIRST, task="t1", status="succeeded", saved=("out/a.png",)))
    before.close()
    after = Journal(path)
    assert after.of("k1") == last
    assert after.of("k2") is None
    after.close()


def test_a_line_that_was_cut_loses_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.write(FIRST)
    journal.write(Entry("k2", "b.jpg", task="t2"))
    journal.close()
    path.write_bytes(path.read_bytes()[:-9])
    again = Journal(path)
    assert (again.of("k1"), again.of("k2")) == (FIRST, None)
    third = again.write(Entry("k3", "c.jpg"))
    again.close()
    last = Journal(path)
    assert last.of("k3") == third
    last.close()


def test_a_folder_that_cannot_be_written_is_said_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CliError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal")
