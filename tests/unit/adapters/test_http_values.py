from __future__ import annotations

from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from genpool_adapters.http import ca_bundle, explain, guarded_session
from genpool_core.errors import RefusedInput

SECRET_URL = "https://images.example.com/a.png?X-Amz-Signature=s3cr3t"


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectionError(f"Max retries exceeded with url: {SECRET_URL}"),
        requests.exceptions.ConnectionError(f"NameResolutionError {SECRET_URL}"),
        requests.exceptions.ConnectionError(f"[Errno 111] Connection refused {SECRET_URL}"),
        requests.exceptions.ReadTimeout(SECRET_URL),
        requests.exceptions.ConnectTimeout(SECRET_URL),
        requests.exceptions.SSLError(SECRET_URL),
        requests.exceptions.ChunkedEncodingError(SECRET_URL),
        requests.exceptions.InvalidURL(SECRET_URL),
    ],
)
def test_a_failed_request_is_told_without_its_url(error: requests.RequestException) -> None:
    sentence = explain(error)
    assert sentence.endswith(".")
    assert "s3cr3t" not in sentence
    assert "example.com" not in sentence


def test_the_environment_names_the_certificates(tmp_path: Path) -> None:
    bundle = str(tmp_path / "ca.pem")
    assert ca_bundle({"REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": "other"}) == bundle
    assert ca_bundle({"SSL_CERT_FILE": bundle}) == bundle
    assert ca_bundle({}) is not False


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:22/",
        "ftp://example.com/",
        "http://user:pw@example.com/",
        "http://localhost/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "http://0x7f.1/",
    ],
)
def test_a_forbidden_url_is_refused_before_anything_is_sent(url: str) -> None:
    def resolve(host: str, _port: int) -> list[str]:
        return {"localhost": ["127.0.0.1"], "2130706433": ["127.0.0.1"], "0x7f.1": ["127.0.0.1"]}.get(
            host, [host]
        )

    with guarded_session([], resolve=resolve) as session, pytest.raises(RefusedInput):
        session.get(url, timeout=1)


def test_a_session_has_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    with guarded_session([]) as session:
        assert not session.trust_env
        assert session.verify is not False
        adapter = session.get_adapter("http://example.com")
        assert isinstance(adapter, HTTPAdapter)
        with pytest.raises(RefusedInput):
            adapter.proxy_manager_for("http://127.0.0.1:9/")
