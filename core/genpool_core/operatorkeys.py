"""The operator's keys, and all that is derived from them: passwords, ids in names of users, signing keys, an API key.

Nothing derived is kept: the same key gives the same password again. Each derivation is an HMAC-SHA256 of its purpose
and of whom it is for, so that one never tells another, nor the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

from genpool_core.errors import SettingsError

KEY_BYTES = 32
#: Key of the Secret: one line for each of the operator's keys.
KEYS = "keys"
#: Prefix of a secret in the form of Standard Webhooks.
WEBHOOK_PREFIX = "whsec_"
#: Prefix of the API's keys, so that a search for leaked secrets finds them.
API_KEY_PREFIX = "gpk_"
_ID_DIGITS = 8
_HOW = (
    "It needs one key a line, each 32 random bytes or more in base64 (`head -c 32 /dev/urandom | base64 -w0`); "
    "the first line is in use, the others are still honoured."
)


@dataclass(frozen=True)
class OperatorKey:
    """One line of the operator's key Secret."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that tell keys apart; part of the names of users."""
        return _derive(self.secret, "key id", "").hex()[:_ID_DIGITS]

    def worker_password(self, pool_uid: str) -> str:
        """Password of a pool's workers."""
        return _password(_derive(self.secret, "worker", pool_uid))

    def gateway_password(self, broker: str) -> str:
        """Password of the gateway on one broker."""
        return _password(_derive(self.secret, "gateway", broker))

    @property
    def admin_api_key(self) -> str:
        """The API key that an installation begins with, with the role admin."""
        return f"{API_KEY_PREFIX}{_password(_derive(self.secret, 'admin api key', ''))}"

    @property
    def signing_key(self) -> bytes:
        """What the gateway gets of this key: enough to sign callbacks and links to files, and for nothing else."""
        return _derive(self.secret, "callbacks", "")

    def callback_secret(self, pool_uid: str) -> str:
        """Secret that signs a pool's callbacks, as its receivers have it."""
        return f"{WEBHOOK_PREFIX}{base64.b64encode(pool_signing_key(self.signing_key, pool_uid)).decode()}"


@dataclass(frozen=True)
class Installation:
    """The keys of one operator, the first of them in use, and the tag of its users on brokers."""

    keys: tuple[OperatorKey, ...]
    tag: str

    @property
    def key(self) -> OperatorKey:
        """The key that new logins are made of."""
        return self.keys[0]

    @property
    def key_ids(self) -> frozenset[str]:
        """Ids of all keys that are honoured."""
        return frozenset(key.id for key in self.keys)


def pool_signing_key(signing_key: bytes, pool_uid: str) -> bytes:
    """What signs the callbacks of one pool."""
    return _derive(signing_key, "pool", pool_uid)


def link_signing_key(signing_key: bytes) -> bytes:
    """What signs the gateway's links to files."""
    return _derive(signing_key, "file links", "")


def installation_tag(namespace_uid: str, secret: str) -> str:
    """Tag of the users of one installation: it survives a new key, and differs between clusters and releases."""
    return f"genpool-installation-{hashlib.sha256(f'{namespace_uid}/{secret}'.encode()).hexdigest()[:16]}"


def key_line(random: bytes) -> str:
    """A line of the key Secret."""
    return base64.b64encode(random).decode()


def parse_keys(text: str, whose: str) -> tuple[bytes, ...]:
    """The keys of a text, line by line. ``whose`` begins the sentence of an error, as ``Secret genpool-operator-key``.

    Raises
    ------
    SettingsError
        There is no key, or a line is none. The sentence names the line and never shows it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise SettingsError(f"{whose} holds no key. {_HOW}", reason="InvalidKeys")
    return tuple(_key(line, f"line {number} of {whose}") for number, line in enumerate(lines, start=1))


def _key(line: str, place: str) -> bytes:
    try:
        secret = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"{place} is no base64. {_HOW}", reason="InvalidKeys") from None
    if len(secret) < KEY_BYTES:
        raise SettingsError(f"{place} holds {len(secret)} bytes. {_HOW}", reason="InvalidKeys")
    return secret


def _derive(key: bytes, purpose: str, identity: str) -> bytes:
    return hmac.new(key, f"{purpose}\n{identity}".encode(), hashlib.sha256).digest()


def _password(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
