"""The secrets that sign a pool's callbacks, as its receiver gets them: a file for each pool."""

from __future__ import annotations

import base64
from pathlib import Path

from genpool_core import names
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.kubectl import Kubectl


def secret_file(folder: Path, namespace: str, pool: str) -> Path:
    """Where a receiver looks for the secrets of a pool, one a line."""
    return folder / f"{namespace}.{pool}"


def callback_secrets(kubectl: Kubectl, namespace: str, pool: str) -> str:
    """The secrets (``whsec_…``) of a pool, one a line, from the Secret in its namespace.

    Raises
    ------
    StackError
        The operator has not written them.
    """
    found = kubectl.find("secret", names.CALLBACK_SECRETS, f"--namespace={namespace}")
    text = ((found or {}).get("data") or {}).get(names.callback_secret_key(pool))
    if not text:
        raise StackError(
            f"Secret {names.CALLBACK_SECRETS} in namespace {namespace} has no key for pool {pool}: see the "
            "operator's log."
        )
    return base64.b64decode(text).decode()


def hand_over(kubectl: Kubectl, namespace: str, pool: str, folder: Path) -> None:
    """Give a receiver the secrets of a pool. Raises StackError as :func:`callback_secrets`."""
    path = secret_file(folder, namespace, pool)
    path.touch(mode=0o600)
    path.write_text(callback_secrets(kubectl, namespace, pool), encoding="utf-8")
