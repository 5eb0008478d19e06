"""API keys as texts, and their hashes."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "gpk_"
_BYTES = 32
_FORM = re.compile(r"gpk_[A-Za-z0-9_-]{43}")


def new_key() -> str:
    """A new key: 256 random bits in base64url behind a prefix that scanners for leaked secrets can know."""
    return f"{PREFIX}{secrets.token_urlsafe(_BYTES)}"


def is_key(text: str) -> bool:
    """Whether a text has the form of a key."""
    return _FORM.fullmatch(text) is not None


def digest_of(key: str) -> str:
    """SHA-256, hexadecimal. A key of 256 random bits needs neither salt nor a slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()
