"""What the operator writes into the gateway's Secret: keys to sign with, the first API key, a login for each broker.

Each broker is a field manager of its own: the login of one that is away stays as it is.
"""

from __future__ import annotations

from genpool_core import names
from genpool_core.jsontypes import JsonObject
from genpool_core.operatorkeys import Installation, key_line
from genpool_operator.decide.manifests.secret import build_secret


def build_gateway_keys(namespace: str, name: str, installation: Installation) -> JsonObject:
    """The keys that the gateway derives each pool's signing secret from, one a line; and the first API key.

    The API key is made of the operator's key in use alone: where that is replaced, the one before opens nothing.
    """
    lines = "\n".join(key_line(key.signing_key) for key in installation.keys)
    return build_secret(
        namespace, name, {names.SIGNING_KEYS: lines, names.ADMIN_API_KEY: installation.key.admin_api_key}
    )


def build_gateway_login(namespace: str, name: str, broker: str, installation: Installation) -> JsonObject:
    """The gateway's login on one broker, made of the key in use."""
    username, password = names.login_keys(broker)
    key = installation.key
    return build_secret(
        namespace, name, {username: names.gateway_user(key.id), password: key.gateway_password(broker)}
    )
