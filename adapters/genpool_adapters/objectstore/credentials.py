"""The S3 keys of a mounted Secret, for botocore: read for each request, so that new keys count at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import botocore.session
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    ReadOnlyCredentials,
)
from botocore.loaders import Loader, create_loader

from genpool_adapters.secret_files import read_secret
from genpool_core.errors import SettingsError
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY

REASON = "StorageCredentialsMissing"


class SecretCredentials(Credentials):
    """Asked by botocore whenever it signs: a request, or a link. ``whose``: the field that names the Secret."""

    def __init__(self, folder: Path, whose: str) -> None:
        super().__init__("", "", method="genpool-secret")
        self._folder = folder
        self._whose = whose

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys of this moment.

        Raises
        ------
        SettingsError
            The Secret or a key is missing, or a key has a character that no key has.
        """
        keys = (S3_ACCESS_KEY, S3_SECRET_KEY)
        values = read_secret(self._folder, *keys, whose=self._whose, reason=REASON)
        for name, value in zip(keys, values, strict=True):
            if not value.isascii() or not value.isprintable() or " " in value:
                raise SettingsError(
                    f"{self._whose}: {name} has a space, a line feed or another character that S3 keys do not have: "
                    "correct the Secret.",
                    reason=REASON,
                )
        access, secret = values
        return ReadOnlyCredentials(access, secret, None)


class _SecretProvider(CredentialProvider):
    METHOD = "genpool-secret"

    def __init__(self, folder: Path, whose: str) -> None:
        super().__init__()
        self._folder = folder
        self._whose = whose

    def load(self) -> Credentials:
        return SecretCredentials(self._folder, self._whose)


@cache
def _descriptions() -> Loader:
    """What botocore knows of S3, read once for all sessions: 50 ms of a processor each time."""
    return create_loader()


def session_of(folder: Path, whose: str) -> botocore.session.Session:
    """A session that knows the keys of this folder and no others: no environment, no file, no identity of the pod.

    ``whose``: the field that names the Secret, in sentences.
    """
    session = botocore.session.Session()
    session.register_component("data_loader", _descriptions())
    session.register_component("credential_provider", CredentialResolver([_SecretProvider(folder, whose)]))
    return session
