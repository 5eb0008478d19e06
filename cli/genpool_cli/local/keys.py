"""The keys and logins of a local GenPool: derived from one secret, as the operator derives those of a cluster."""

from __future__ import annotations

import os
import secrets

from genpool_cli.local.folder import Folder, write
from genpool_core import names
from genpool_core.operatorkeys import KEY_BYTES, OperatorKey, key_line, parse_keys
from genpool_core.podlayout import BROKER_PASSWORD, BROKER_USERNAME

#: Name of the only broker in the brokers file.
BROKER = "default"
_KEY = "operator-key"


def operator_key(folder: Folder) -> OperatorKey:
    """The secret of this folder, made at the first start. Raises SettingsError where somebody broke it."""
    path = folder.secrets / _KEY
    if not path.exists():
        write(path, key_line(os.urandom(KEY_BYTES)))
    return OperatorKey(parse_keys(path.read_text(encoding="ascii"), str(path))[0])


def broker_password(folder: Folder) -> str:
    """Of the administrator of a private RabbitMQ: it knows it from its first start."""
    path = folder.secrets / "rabbitmq-password"
    if not path.exists():
        write(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="ascii")


def write_secrets(folder: Folder, key: OperatorKey, pool_uid: str, storage: dict[str, str]) -> None:
    """The Secrets that gateway and worker have as files."""
    gateway = folder.secrets / "gateway"
    user, password = names.login_keys(BROKER)
    write(gateway / user, names.gateway_user(key.id))
    write(gateway / password, key.gateway_password(BROKER))
    write(gateway / names.SIGNING_KEYS, key_line(key.signing_key))
    write(gateway / names.ADMIN_API_KEY, key.admin_api_key)
    write(folder.secrets / "worker" / BROKER_USERNAME, names.worker_user(pool_uid, key.id))
    write(folder.secrets / "worker" / BROKER_PASSWORD, key.worker_password(pool_uid))
    for name, value in storage.items():
        write(folder.secrets / "storage" / name, value)
