"""Words that begin one session."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from genpool_cli.local.folder import Folder
from genpool_cli.local.logins import login_link
from genpool_core import timing
from genpool_gateway.adapters.login_words import LoginWords
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.sessions import SessionRing
from unit.gateway.keys.key_fakes import FIRST, KEY, MemoryKeys
from unit.gateway.samples import NOW


def word_of(folder: Folder) -> str:
    """As the command line gives it."""
    return urlsplit(login_link(folder, "http://127.0.0.1:1")).fragment.removeprefix("login=")


def test_a_word_is_good_once_and_for_the_first_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    words = LoginWords(folder.secrets / "gateway", lambda: (FIRST,))
    word = word_of(folder)
    assert words.redeem(word) == FIRST
    assert words.redeem(word) is None
    assert list((folder.secrets / "gateway" / "logins").iterdir()) == []


def test_what_is_no_word(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    words = LoginWords(folder.secrets / "gateway", lambda: (FIRST,))
    good = word_of(folder)
    for word in (KEY, "gpl_", "gpl_../../x", good[:-1], f"{good} "):
        assert words.redeem(word) is None
    assert LoginWords(folder.secrets / "gateway", tuple).redeem(good) is None


def test_an_old_word_is_none_and_goes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    word = word_of(folder)
    (file,) = (folder.secrets / "gateway" / "logins").iterdir()
    os.utime(file, (1000.0, 1000.0))
    late = 1000.0 + timing.LOGIN_WORD_SECONDS + 1
    assert LoginWords(folder.secrets / "gateway", lambda: (FIRST,), clock=lambda: late).redeem(word) is None
    assert not file.exists()


def test_a_session_begins_by_a_word(tmp_path: Path) -> None:
    folder, store = Folder(tmp_path), MemoryKeys()
    words = LoginWords(folder.secrets / "gateway", lambda: (FIRST,))
    ring = SessionRing(store, KeyRing(store, lambda: (FIRST,)), lambda: NOW, redeem=words.redeem)
    word = word_of(folder)
    begun = ring.begin(word)
    assert begun is not None
    assert begun.caller.role == "admin"
    assert ring.begin(word) is None
