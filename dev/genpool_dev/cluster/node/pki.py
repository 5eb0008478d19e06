"""Secrets of the local cluster: tokens, the key of service accounts, one client certificate."""

from __future__ import annotations

import json
import secrets

from genpool_dev.cluster import shell
from genpool_dev.cluster.node.config import USERS
from genpool_dev.cluster.node.places import Places


def ensure(places: Places) -> dict[str, str]:
    """Make what is missing, and return the tokens by user of :data:`USERS`."""
    tokens = places.config / "tokens.json"
    if not tokens.exists():
        made = {user: secrets.token_urlsafe(24) for user in USERS}
        half = tokens.with_suffix(".part")
        half.touch(mode=0o600)
        half.write_text(json.dumps(made))
        half.replace(tokens)
    key = places.config / "service-accounts.key"
    if not key.exists():
        half = key.with_suffix(".part")
        shell.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", half])
        half.replace(key)
    _client_certificate(places)
    found: dict[str, str] = json.loads(tokens.read_text())
    return found


def _client_certificate(places: Places) -> None:
    """Make the certificate by which the API server is known to kubelet; it is its own authority."""
    certificate = places.config / "kubelet-client.crt"
    if certificate.exists():
        return
    half = certificate.with_suffix(".part")
    shell.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "3650",
            "-keyout", places.config / "kubelet-client.key", "-out", half,
            "-subj", "/O=system:masters/CN=apiserver-kubelet-client",
            "-addext", "extendedKeyUsage=clientAuth",
        ]
    )  # fmt: skip
    half.replace(certificate)
