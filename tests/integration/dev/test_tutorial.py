"""The tutorial of one machine, typed as it stands there: each command up to the cluster, in its order."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from PIL import Image

from genpool_dev.testrun import MARK
from support.documented import by_hand, commands

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "tutorial" / "one-machine.md"
_CLUSTER = "\n## 5. "
_SECONDS = 400
_OURS = ("GENPOOL", "XDG")


@dataclass(frozen=True)
class Terminal:
    """A shell in a folder that looks like the checkout, with a home of its own."""

    folder: Path
    home: Path

    def types(self, *lines: str) -> str:
        """What the lines print on standard output; each has to succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=self.folder,
            env={
                name: value
                for name, value in by_hand(os.environ).items()
                if name == MARK or not name.startswith(_OURS)
            }
            | {"HOME": str(self.home), "PIP_CACHE_DIR": str(Path.home() / ".cache" / "pip")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    folder, home = tmp_path / "genpool", tmp_path / "home"
    folder.mkdir()
    for path in ROOT.iterdir():
        if path.name != ".git":
            (folder / path.name).symlink_to(path)
    # What is fetched once for a machine is not fetched again; its lock goes with it.
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genpool" / "rabbitmq"
    kept.mkdir(parents=True, exist_ok=True)
    (home / ".cache" / "genpool").mkdir(parents=True)
    (home / ".cache" / "genpool" / "rabbitmq").symlink_to(kept)
    made = Terminal(folder, home)
    yield made
    made.types("make try-down")


def test_from_make_try_to_a_coloured_photo(terminal: Terminal) -> None:
    first, *lines = commands(PAGE.read_text(encoding="utf-8").partition(_CLUSTER)[0])
    assert first == "make try"
    last = json.loads(terminal.types(first).splitlines()[-1])
    assert set(last) == {"page", "gateway", "api_key_file"}
    assert last["page"].startswith(f"{last['gateway']}/#login=")
    assert Path(last["api_key_file"]).is_relative_to(terminal.home)
    _ask_as_the_readme(terminal, last["gateway"], last["api_key_file"])
    # As the tutorial says where port 8000 is taken, which it may be on a machine that runs tests.
    terminal.types(*(line.replace("http://127.0.0.1:8000", last["gateway"]) for line in lines))
    (lake,) = (terminal.folder / "pictures").glob("*.png")
    coloured = list((terminal.folder / "coloured").rglob("*.png"))
    assert coloured
    for path in (lake, *coloured):
        with Image.open(path) as picture:
            assert picture.mode == "RGB"
    pool = yaml.safe_load((terminal.folder / "pool.yaml").read_text(encoding="utf-8"))
    assert pool["kind"] == "GenerationPool"
    # `make try-down`, the last of them, left nothing but what is fetched once.
    assert [path.name for path in (terminal.home / ".cache" / "genpool").iterdir()] == ["rabbitmq"]


def _ask_as_the_readme(terminal: Terminal, gateway: str, key_file: str) -> None:
    """The README's requests, to the pool that is there, and for the task that was made."""
    send, watch = (line for line in commands(README.read_text(encoding="utf-8")) if line.startswith("curl "))
    known = (f"API={gateway}", f"KEY=$(cat {key_file})")
    answer = json.loads(terminal.types(*known, send.replace("pictures/text", "genpool/try")))
    assert answer["status"] == "queued"
    assert "event: " in terminal.types(*known, f"timeout 60 {watch.replace('020f…', answer['id'])}")
