"""The Secrets of a pool as files in the worker's container, and in no other; of a shared Secret only its own keys.

Files, not variables: a variable is what the process began with and shows in ``/proc``, while the kubelet brings a file
up to date within about a minute, and the worker reads it at each connection. Each Secret is optional to Kubernetes: a
pod whose Secret is missing then starts, says what it waits for, and goes on when the Secret comes. Otherwise it would
stay in ContainerCreating, and only an Event of the pod would tell why.
"""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import BROKER_PASSWORD, BROKER_USERNAME, S3_ACCESS_KEY, S3_SECRET_KEY

#: To be read by the worker whatever its user and group; nothing else runs in its container.
_MODE = 0o444


@dataclass(frozen=True)
class _Files:
    """One Secret: its volume, its place, and the setting that tells the worker where it is."""

    volume: str
    path: str
    variable: str
    secret: str
    items: tuple[tuple[str, str], ...]
    """Keys of the Secret, each with the name of its file."""


def secret_volumes(pool: GenerationPool) -> list[JsonObject]:
    """A volume for each Secret, with the keys that the worker needs."""
    return [
        {
            "name": files.volume,
            "secret": {
                "secretName": files.secret,
                "items": [{"key": key, "path": path} for key, path in files.items],
                "defaultMode": _MODE,
                "optional": True,
            },
        }
        for files in _of(pool)
    ]


def secret_mounts(pool: GenerationPool) -> list[JsonObject]:
    """Where they are mounted. Whole folders: the kubelet never renews a single file that is mounted by ``subPath``."""
    return [{"name": files.volume, "mountPath": files.path, "readOnly": True} for files in _of(pool)]


def secret_variables(pool: GenerationPool) -> dict[str, str]:
    """The worker's settings that name the folders."""
    return {files.variable: files.path for files in _of(pool)}


def _of(pool: GenerationPool) -> tuple[_Files, ...]:
    username, password = names.login_keys(pool.metadata.name)
    broker = _Files(
        "broker-credentials",
        "/run/genpool/broker",
        "GENPOOL_BROKER_CREDENTIALS_DIR",
        names.WORKER_LOGINS,
        ((username, BROKER_USERNAME), (password, BROKER_PASSWORD)),
    )
    s3 = pool.spec.storage.s3
    if s3 is None or s3.credentials is None:
        return (broker,)
    keys = tuple((key, key) for key in (S3_ACCESS_KEY, S3_SECRET_KEY))
    return (
        broker,
        _Files("s3-credentials", "/run/genpool/s3", "GENPOOL_S3_CREDENTIALS_DIR", s3.credentials.name, keys),
    )
