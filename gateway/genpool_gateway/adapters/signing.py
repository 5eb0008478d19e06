"""Signatures as Standard Webhooks has them, from secrets in a file."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from pathlib import Path

from standardwebhooks import Webhook

from genpool_core.errors import SettingsError

_PREFIX = "whsec_"
_MIN_BYTES, _MAX_BYTES = 24, 64
_HOW = (
    "It needs one secret a line, each 'whsec_' and 24 to 64 random bytes in base64: "
    'echo "whsec_$(head -c 32 /dev/urandom | base64)".'
)


class Signer:
    """Signs with every secret of a file, which is read for each signature: so secrets can be changed without a gap.

    A receiver accepts a message when one of its signatures fits.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def headers(self, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` for a body in UTF-8.

        Raises
        ------
        SettingsError
            The file cannot be read, or holds no good secret; the message does not show it.
        """
        text = body.decode("utf-8")
        signatures = [hook.sign(message_id, now, text) for hook in self._hooks()]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def check(self) -> None:
        """Read the file once; raises SettingsError as :meth:`headers` does."""
        self._hooks()

    def _hooks(self) -> list[Webhook]:
        try:
            lines = self._path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise self._wrong(f"cannot be read ({type(error).__name__})") from error
        if not lines:
            raise self._wrong("is empty")
        return [Webhook(self._secret(line, number)) for number, line in enumerate(lines, start=1)]

    def _secret(self, line: str, number: int) -> bytes:
        if not line.startswith(_PREFIX):
            raise self._wrong(f"does not begin with {_PREFIX} in line {number}")
        text = line.removeprefix(_PREFIX)
        try:
            secret = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except binascii.Error:
            raise self._wrong(f"is no base64 in line {number}") from None
        if not _MIN_BYTES <= len(secret) <= _MAX_BYTES:
            raise self._wrong(f"holds {len(secret)} bytes in line {number}")
        return secret

    def _wrong(self, what: str) -> SettingsError:
        return SettingsError(f"the signing secret {self._path} {what}. {_HOW}", reason="InvalidSigningSecret")
