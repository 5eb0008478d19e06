from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from genpool_core.errors import SettingsError
from genpool_gateway.adapters.signing import Signer

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()
BODY = '{"name":"DDColor人物黑白修复.json"}'.encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret"


def test_signs_as_standard_webhooks_says(path: Path) -> None:
    path.write_text(f"{SECRET}\n", encoding="ascii")
    headers = Signer(path).headers("msg_1", BODY, datetime(2026, 5, 1, 12, 0, 0, 900_000, tzinfo=UTC))
    digest = hmac.new(KEY, b"msg_1.1777636800." + BODY, hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1777636800",
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_a_receiver_with_either_secret_accepts_while_they_change(path: Path) -> None:
    path.write_text(f"{SECRET}\n{OTHER}\n", encoding="ascii")
    signer = Signer(path)
    headers = signer.headers("msg_1", BODY, datetime.now(UTC))
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)
    path.write_text(OTHER, encoding="ascii")
    assert " " not in signer.headers("msg_1", BODY, datetime.now(UTC))["webhook-signature"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("abcdef", "does not begin with whsec_ in line 1"),
        ("whsec_$$$$", "is no base64 in line 1"),
        ("whsec_" + base64.b64encode(b"short").decode(), "holds 5 bytes"),
        (f"{SECRET}\nwhsec_", "holds 0 bytes in line 2"),
        ("whsec_é", "cannot be read"),
    ],
)
def test_a_wrong_secret_is_told_and_not_shown(path: Path, text: str, said: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as caught:
        Signer(path).check()
    assert SECRET not in caught.value.message
    assert caught.value.reason == "InvalidSigningSecret"


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Signer(path).check()
