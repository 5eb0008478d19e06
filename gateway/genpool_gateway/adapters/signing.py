"""Signatures as Standard Webhooks has them, with a secret of its own for each pool; and the keys of links to files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from standardwebhooks import Webhook

from genpool_adapters.secret_files import read_secret
from genpool_core.names import SIGNING_KEYS
from genpool_core.operatorkeys import link_signing_key, parse_keys, pool_signing_key


class Signer:
    """Signs with the pool's secret of every signing key, which are read for each signature: so keys can be changed.

    A receiver accepts a message when one of its signatures fits. ``folder``: the gateway's Secret.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def headers(self, message_id: str, body: bytes, pool_uid: str, now: datetime) -> dict[str, str]:
        """``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` for a body in UTF-8.

        Raises
        ------
        SettingsError
            The keys cannot be read, or one is none; the message does not show it.
        """
        text = body.decode("utf-8")
        hooks = [Webhook(pool_signing_key(key, pool_uid)) for key in self._keys()]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(hook.sign(message_id, now, text) for hook in hooks),
        }

    def check(self) -> None:
        """Read the keys once; raises SettingsError as :meth:`headers` does."""
        self._keys()

    def link_keys(self) -> tuple[bytes, ...]:
        """What signs links to files, the first in use; raises SettingsError as :meth:`headers` does."""
        return tuple(link_signing_key(key) for key in self._keys())

    def _keys(self) -> tuple[bytes, ...]:
        (text,) = read_secret(
            self._folder, SIGNING_KEYS, whose="the keys that sign callbacks", reason="InvalidSigningKeys"
        )
        return parse_keys(text, str(self._folder / SIGNING_KEYS))
