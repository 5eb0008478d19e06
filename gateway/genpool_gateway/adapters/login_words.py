"""Words that begin one session each: how a program of this machine opens the page for its person, without the key.

Such a program writes an empty file into the folder of the gateway's secrets, named after the word's hash. The word is
good until the file is gone, and whoever uses it takes the file away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from genpool_core import names, timing
from genpool_gateway.keys.secret import digest_of


class LoginWords:
    """Takes words for the first key. Used by many threads."""

    def __init__(
        self,
        secrets: Path,
        first_keys: Callable[[], tuple[str, ...]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = secrets / names.LOGIN_WORDS
        self._first_keys = first_keys
        self._clock = clock

    def redeem(self, word: str) -> str | None:
        """The key that a word stands for, once; None where it is none, was used, or is too old."""
        if not word.startswith(names.LOGIN_WORD_PREFIX):
            return None
        path = self._folder / digest_of(word)
        try:
            age = self._clock() - path.stat().st_mtime
            # Of two that come at the same time one finds it gone.
            path.unlink()
        except OSError:
            return None
        return next(iter(self._first_keys()), None) if age <= timing.LOGIN_WORD_SECONDS else None
