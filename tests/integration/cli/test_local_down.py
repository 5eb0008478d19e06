"""``genpool local down`` where nobody buries the dead: the first process of many containers does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil

from genpool_cli.local.folder import Folder, Run
from genpool_cli.local.program_file import write_programs
from genpool_cli.local.up import down
from integration.broker import until


def test_a_supervisor_that_ended_is_gone_although_it_stays_in_the_table(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "genpool")
    folder.make()
    write_programs(folder, [])
    # The parent becomes a program that never asks for the ends of its children.
    with subprocess.Popen(
        ["sh", "-c", "sleep 1000 & echo $!; exec sleep 1000"], stdout=subprocess.PIPE, text=True
    ) as parent:
        try:
            assert parent.stdout is not None
            supervisor = psutil.Process(int(parent.stdout.readline()))
            # Until then it is a shell, which would bury it.
            until(lambda: psutil.Process(parent.pid).name() == "sleep", "the parent is another program")
            folder.write_run(
                Run(supervisor.pid, supervisor.create_time(), "http://127.0.0.1:1", "art/text", "", "private")
            )
            assert down(folder)
            assert supervisor.status() == psutil.STATUS_ZOMBIE
            assert folder.run() is None
        finally:
            parent.kill()
