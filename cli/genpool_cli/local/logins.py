"""A link that opens the page of a local GenPool, logged in: good once, for some minutes."""

from __future__ import annotations

import hashlib
import secrets

from genpool_cli.local.folder import Folder, write
from genpool_core import names


def login_link(folder: Folder, url: str) -> str:
    """A new link. The word behind ``#`` never leaves the browser but in the login itself."""
    word = f"{names.LOGIN_WORD_PREFIX}{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(word.encode()).hexdigest()
    write(folder.secrets / "gateway" / names.LOGIN_WORDS / digest, "")
    return f"{url}/#login={word}"
