"""Whether a RabbitMQ user has a given password.

The management API gives out a salted hash of a password. Comparing it finds a user that somebody, or a restored
broker, gave another password, and nothing has to be kept in memory.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

_ALGORITHMS = {
    "rabbit_password_hashing_sha256": "sha256",
    "rabbit_password_hashing_sha512": "sha512",
}
_SALT_BYTES = 4


@dataclass(frozen=True)
class UserFact:
    """A user as the management API shows it."""

    password_hash: str
    algorithm: str
    tags: tuple[str, ...] = ()


def password_matches(user: UserFact, password: str) -> bool | None:
    """Whether ``password`` is the user's; None where the broker hashes in a way that we do not know."""
    algorithm = _ALGORITHMS.get(user.algorithm)
    if algorithm is None:
        return None
    try:
        raw = base64.b64decode(user.password_hash, validate=True)
    except binascii.Error:
        return False
    salt, expected = raw[:_SALT_BYTES], raw[_SALT_BYTES:]
    return hmac.compare_digest(hashlib.new(algorithm, salt + password.encode()).digest(), expected)
