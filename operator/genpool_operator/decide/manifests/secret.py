"""What a pool keeps in the two Secrets that the pools of its namespace share: its workers' login, its signing secrets.

The Secrets have fixed names, so that the operator's rights can name them. Each pool is a field manager of its own: it
owns its keys and no others, and its entry among the owners. No owner is the controller, as there can be only one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.operatorkeys import Installation
from genpool_operator.decide.manifests.common import owner_reference


def build_worker_login(pool: GenerationPool, installation: Installation) -> JsonObject:
    """The login of the pool's workers, made of the key in use."""
    uid, key = pool.metadata.uid, installation.key
    username, password = names.login_keys(pool.metadata.name)
    values = {username: names.worker_user(uid, key.id), password: key.worker_password(uid)}
    return _secret(pool, names.WORKER_LOGINS, values)


def build_callback_secret(pool: GenerationPool, installation: Installation) -> JsonObject:
    """The secrets that sign the pool's callbacks, one a line, as its receivers need them."""
    lines = [key.callback_secret(pool.metadata.uid) for key in installation.keys]
    return _secret(
        pool, names.CALLBACK_SECRETS, {names.callback_secret_key(pool.metadata.name): "\n".join(lines)}
    )


def build_secret(namespace: str, name: str, values: Mapping[str, str], **metadata: JsonValue) -> JsonObject:
    """A Secret of the operator's.

    ``data``, not ``stringData``: Kubernetes would not see which field manager owns which key.
    """
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**names.SHARED_LABELS},
            **metadata,
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def _secret(pool: GenerationPool, name: str, values: Mapping[str, str]) -> JsonObject:
    owners: list[JsonValue] = [owner_reference(pool.metadata, controller=False)]
    return build_secret(pool.metadata.namespace, name, values, ownerReferences=owners)
