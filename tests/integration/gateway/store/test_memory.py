"""The store keeps nothing of its tasks in memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genpool_gateway.store.opening import open_store
from genpool_gateway.tasks.ports import NewTask
from support.task_changes import accepting, at

TASKS = 10_000
_LISTING = """
import sys
from pathlib import Path
import psutil
from genpool_gateway.store.opening import open_store
from genpool_gateway.tasks.ports import TaskQuery

def rounds(count):
    seen, place = 0, None
    for _ in range(count):
        page = store.reader.find(TaskQuery(before=place, limit=100))
        place = (page[-1].created_at, page[-1].id)
        seen += len(page)
    return seen

store = open_store(sys.argv[1])
rounds(10)
before = psutil.Process().memory_info().rss
seen = rounds(int(sys.argv[2]) // 100)
print(seen, psutil.Process().memory_info().rss - before)
"""


@pytest.fixture
def full(url: str) -> str:
    store = open_store(url)
    for start in range(0, TASKS, 500):
        store.accepting.accept(
            [NewTask(accepting(f"{start + number}", seconds=start + number)) for number in range(500)],
            {},
            at(0),
        )
    store.close()
    return url


def test_pages_over_all_tasks_take_no_memory(full: str) -> None:
    command = [sys.executable, "-c", _LISTING, full, str(TASKS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    seen, grown = map(int, done.stdout.split())
    assert seen == TASKS
    assert grown < 4 * 1024 * 1024
