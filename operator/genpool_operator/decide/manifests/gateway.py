"""What the operator writes into the gateway's Secret: keys to sign with, and a login for each broker.

Each broker is a field manager of its own: the login of one that is away stays as it is.
"""

from __future__ import annotations

from genpool_core import names
from genpool_core.jsontypes import JsonObject
from genpool_core.operatorkeys import Installation, key_line
from genpool_operator.decide.manifests.secret import build_secret


def build_signing_keys(namespace: str, name: str, installation: Installation) -> JsonObject:
    """The keys that the gateway derives each pool's signing secret from, one a line."""
    lines = "\n".join(key_line(key.signing_key) for key in installation.keys)
    return build_secret(namespace, name, {names.SIGNING_KEYS: lines})


def build_gateway_login(namespace: str, name: str, broker: str, installation: Installation) -> JsonObject:
    """The gateway's login on one broker, made of the key in use."""
    username, password = names.login_keys(broker)
    key = installation.key
    return build_secret(
        namespace, name, {username: names.gateway_user(key.id), password: key.gateway_password(broker)}
    )
