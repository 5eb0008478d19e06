"""The object store in a folder: as a bucket, and safe against links, other names and sudden ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from genpool_adapters.objectstore.draft import sweep
from genpool_adapters.objectstore.folder import FolderStore
from genpool_adapters.objectstore.port import Put
from genpool_adapters.objectstore.tree import STAGING, Tree
from genpool_core import timing
from genpool_core.errors import Lasts, StorageError
from support.object_store_contract import ObjectStoreContract, held


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "results"
    made.mkdir()
    return made


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


class TestFolderStore(ObjectStoreContract):
    """The same as of a bucket."""

    many = 100


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_what_people_see_are_the_keys(store: FolderStore, root: Path) -> None:
    store.put("tasks/k/runs/1/a1-n/日落.png", b"1")
    assert (root / "tasks/k/runs/1/a1-n/日落.png").read_bytes() == b"1"
    assert not list((root / STAGING).iterdir())
    store.delete(["tasks/k/runs/1/a1-n/日落.png"])
    assert names(root) == {STAGING}, "empty directories go with the last file"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../../b",
        "a/./b",
        "a\0b",
        "\udcff",
        "a" * 256,
        "日" * 86,
        "/".join(["ab"] * 400),
        STAGING,
        f"{STAGING}/a",
    ],
)
def test_what_is_no_path_below_the_folder_is_refused(store: FolderStore, root: Path, key: str) -> None:
    for act in (
        lambda: store.create(key, b"1"),
        lambda: store.put(key, b"1"),
        lambda: store.get(key),
        lambda: store.delete([key]),
        lambda: store.draft(key),
    ):
        with pytest.raises(StorageError, match="is no key of a folder") as caught:
            act()
        assert caught.value.lasts is Lasts.NEVER
    assert names(root) == set()
    assert names(root.parent) == {root.name}


def test_the_longest_key(store: FolderStore) -> None:
    key = "/".join(["日" * 85, "a" * 255, "b" * 255, "c" * 255])[:1024]
    assert store.create(key, b"1") is Put.CREATED
    assert store.keys("") == [key]


@pytest.mark.parametrize("first", ["a", "a/b", "a/b/c"])
def test_a_key_cannot_be_the_beginning_of_another(store: FolderStore, first: str) -> None:
    store.put(first, b"1")
    for other in {"a", "a/b", "a/b/c"} - {first}:
        for put in (store.put, store.create):
            with pytest.raises(StorageError, match="take it away"):
                put(other, b"2")
    assert store.keys("") == [first]
    assert held(store, first).data == b"1"


@pytest.fixture
def outside(root: Path) -> Path:
    """A folder that is not the store's, and links into it."""
    made = root.parent / "outside"
    (made / "inner").mkdir(parents=True)
    (made / "secret").write_bytes(b"secret")
    (root / "directory").symlink_to(made)
    (root / "file").symlink_to(made / "secret")
    (root / "nowhere").symlink_to(made / "none")
    return made


@pytest.mark.parametrize(
    "key", ["directory/secret", "directory/inner/new", "directory/new", "file", "nowhere"]
)
def test_no_link_is_followed(store: FolderStore, outside: Path, root: Path, key: str) -> None:
    with pytest.raises(StorageError, match="take it away"):
        store.get(key)
    with pytest.raises(StorageError, match="take it away"):
        store.create(key, b"new")
    assert store.keys("") == []
    if "/" in key:
        for act in (lambda: store.put(key, b"new"), lambda: store.delete([key])):
            with pytest.raises(StorageError, match="take it away"):
                act()
    else:
        store.put(key, b"new")
        assert not (root / key).is_symlink()
        assert held(store, key).data == b"new"
    assert (outside / "secret").read_bytes() == b"secret"
    assert {path.name for path in outside.iterdir()} == {"secret", "inner"}
    assert not list((outside / "inner").iterdir())


def test_a_link_that_is_deleted_is_the_link(store: FolderStore, outside: Path, root: Path) -> None:
    store.delete(["file"])
    assert not (root / "file").is_symlink()
    assert (outside / "secret").exists()


def test_a_pipe_holds_nobody_up(store: FolderStore, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(StorageError, match="is no file"):
        store.get("pipe")
    assert store.keys("") == []
    with pytest.raises(StorageError, match="is no file"):
        store.create("pipe", b"1")


def test_names_that_are_no_text_are_left_alone(store: FolderStore, root: Path) -> None:
    Path(os.fsdecode(bytes(root) + b"/\xff")).write_bytes(b"")
    store.put("a", b"1")
    assert store.keys("") == ["a"]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A disk that is not mounted would look like an empty ledger."""
    store = FolderStore(tmp_path / "none")
    for act in (
        lambda: store.put("a", b""),
        lambda: store.get("a"),
        lambda: store.keys(""),
        lambda: store.delete(["a"]),
    ):
        with pytest.raises(StorageError, match="does not exist: make it, or mount the disk") as caught:
            act()
        assert caught.value.lasts is Lasts.OUTAGE
    assert not (tmp_path / "none").exists()


def test_a_full_disk_is_told_and_leaves_nothing(store: FolderStore, root: Path) -> None:
    code = f"""
import resource, signal
from pathlib import Path
from genpool_adapters.objectstore.folder import FolderStore
from genpool_core.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    FolderStore(Path({str(root)!r})).put("a", bytes(2000))
except StorageError as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be used: File too large" in done.stdout
    assert store.keys("") == []
    assert not list((root / STAGING).iterdir())


def test_others_of_the_machine_read_nothing(store: FolderStore, root: Path) -> None:
    store.put("a/b", b"1")
    for path in (root / "a", root / "a/b", root / STAGING):
        assert path.stat().st_mode & 0o007 == 0


def test_a_reader_has_the_file_that_it_opened(store: FolderStore) -> None:
    store.put("a", b"before")
    file = store.open("a")
    assert file is not None
    store.put("a", b"after")
    store.delete(["a"])
    assert os.read(file.descriptor, 100) == b"before"
    os.close(file.descriptor)
    assert store.open("a") is None


def test_a_draft_that_is_given_up_is_gone(store: FolderStore, root: Path) -> None:
    with store.draft("a/b") as draft:
        draft.write(b"half")
        assert store.keys("") == []
    assert store.keys("") == []
    assert names(root) == {STAGING}


def test_what_killed_processes_have_left_is_deleted_after_a_day(store: FolderStore, root: Path) -> None:
    staging = root / STAGING
    staging.mkdir()
    (staging / "old").write_bytes(b"1")
    (staging / "new").write_bytes(b"1")
    before = time.time() - timing.FOLDER_STAGED_SECONDS - 60
    os.utime(staging / "old", (before, before))
    store.put("a", b"1")
    assert {path.name for path in staging.iterdir()} == {"new"}
    sweep(Tree(root), time.time() + timing.FOLDER_STAGED_SECONDS + 60)
    assert not list(staging.iterdir())
    assert store.keys("") == ["a"]


_WRITER = """
import sys
from pathlib import Path
from genpool_adapters.objectstore.folder import FolderStore
store, number = FolderStore(Path(sys.argv[1])), int(sys.argv[2])
source = Path(sys.argv[1]).parent / f"source-{number}"
source.write_bytes(bytes([number]) * 3_000_000)
print("begun", flush=True)
turn = 0
while True:
    turn += 1
    store.create(f"new/{number}-{turn}", bytes([number]) * 300_000)
    store.put(f"same", bytes([number]) * 300_000)
    store.put_file(f"file/{turn % 3}", source, "image/png")
"""


def test_writers_that_are_killed_leave_nothing_half(store: FolderStore, root: Path) -> None:
    """Every file is whole and of one writer, whenever they are killed and whoever reads meanwhile."""
    stopping = threading.Event()
    faults: list[str] = []

    def whole(key: str) -> None:
        found = store.get(key)
        size = 3_000_000 if key.startswith("file/") else 300_000
        if found is not None and (len(found.data) != size or len(set(found.data)) != 1):
            faults.append(key)

    def read() -> None:
        while not stopping.is_set():
            whole("same")
            whole("file/1")

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(4):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, str(root), str(turn * 2 + number + 1)], stdout=subprocess.PIPE
            )
            for number in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"begun\n"
        time.sleep(0.02 * (turn + 1))
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            assert writer.stdout is not None
            writer.stdout.close()
    stopping.set()
    reader.join()
    written = store.keys("")
    for key in written:
        whole(key)
    assert faults == []
    assert len(written) > 4


def test_one_of_many_processes_creates(store: FolderStore, root: Path) -> None:
    code = """
import sys
from pathlib import Path
from genpool_adapters.objectstore.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
print("begun", flush=True)
sys.stdin.readline()
print([turn for turn in range(100) if store.create(f"k/{turn}", sys.argv[2].encode()).name == "CREATED"])
"""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "begun\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [eval(racer.communicate(timeout=60)[0]) for racer in racers]  # noqa: S307 - a list of our own
    assert sorted(turn for turns in won for turn in turns) == list(range(100))
    for number, turns in enumerate(won):
        assert all(held(store, f"k/{turn}").data == str(number).encode() for turn in turns)
