"""Callbacks are signed with the secret of their pool, made of each of the operator's keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from genpool_core.errors import SettingsError
from genpool_core.names import SIGNING_KEYS
from genpool_core.operatorkeys import OperatorKey, key_line
from genpool_gateway.adapters.signing import Signer

KEY, OTHER = OperatorKey(bytes(range(32))), OperatorKey(bytes(32))
BODY = '{"name":"DDColor人物黑白修复.json"}'.encode()
POOL = "2b7f"


def write(folder: Path, *keys: OperatorKey) -> Signer:
    """What the operator writes into the gateway's Secret."""
    (folder / SIGNING_KEYS).write_text("\n".join(key_line(key.signing_key) for key in keys), encoding="ascii")
    return Signer(folder)


def test_signs_as_standard_webhooks_says(tmp_path: Path) -> None:
    headers = write(tmp_path, KEY).headers(
        "msg_1", BODY, POOL, datetime(2026, 5, 1, 12, 0, 0, 900_000, tzinfo=UTC)
    )
    secret = base64.b64decode(KEY.callback_secret(POOL).removeprefix("whsec_"))
    digest = hmac.new(secret, b"msg_1.1777636800." + BODY, hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1777636800",
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_a_receiver_with_either_secret_accepts_while_they_change(tmp_path: Path) -> None:
    signer = write(tmp_path, OTHER, KEY)
    headers = signer.headers("msg_1", BODY, POOL, datetime.now(UTC))
    for key in (KEY, OTHER):
        Webhook(key.callback_secret(POOL)).verify(BODY, headers)
    write(tmp_path, OTHER)
    headers = signer.headers("msg_1", BODY, POOL, datetime.now(UTC))
    Webhook(OTHER.callback_secret(POOL)).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY.callback_secret(POOL)).verify(BODY, headers)


def test_who_knows_a_pools_secret_signs_for_no_other_pool(tmp_path: Path) -> None:
    headers = write(tmp_path, KEY).headers("msg_1", BODY, POOL, datetime.now(UTC))
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY.callback_secret("another")).verify(BODY, headers)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("$$$$", "line 1 of .* is no base64"),
        (base64.b64encode(b"short").decode(), "holds 5 bytes"),
        (f"{key_line(KEY.signing_key)}\nAAAA", "line 2 of .* holds 3 bytes"),
    ],
)
def test_a_wrong_key_is_told_and_not_shown(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / SIGNING_KEYS).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as caught:
        Signer(tmp_path).check()
    assert key_line(KEY.signing_key) not in caught.value.message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Signer(tmp_path).check()
