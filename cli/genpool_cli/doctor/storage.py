"""Where a pool's results go: a bucket, or a folder of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from genpool_adapters.objectstore.conditional_put_check import prove_conditional_put
from genpool_adapters.objectstore.folder import FolderStore
from genpool_cli.doctor.finding import Finding
from genpool_cli.local.wishes import storage_keys
from genpool_core.api.storage import StorageSpec
from genpool_core.workerconfig import FolderConfig, S3Config, store_config

_NEEDS_LOCAL = "the bucket is tried with boto3: pip install 'genpool[local]'"


def check_storage(storage: StorageSpec) -> Iterator[Finding]:
    """What the worker does at its start: of several that create one record, one alone may be told that it did.

    Raises
    ------
    CliError
        The keys of the bucket are not there.
    StorageError
        It cannot be used.
    """
    config = store_config(storage)
    yield _bucket(config) if isinstance(config, S3Config) else _folder(config)


def _folder(config: FolderConfig) -> Finding:
    path = Path(config.path)
    if path.is_dir():
        prove_conditional_put(FolderStore(path), "")
        return Finding("folder", "ok", f"{path} can be written, and its exclusive create is atomic")
    if path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK) and not path.exists():
        return Finding("folder", "warn", f"{path} is not there yet: genpool local up makes it.")
    text = f"{path} is no folder, and cannot be made here: make it, mount its disk, or name another."
    return Finding("folder", "wrong", text)


def _bucket(config: S3Config) -> Finding:
    try:
        from genpool_adapters.objectstore.s3 import S3Store  # noqa: PLC0415 - needs boto3
    except ImportError:
        return Finding("bucket", "unknown", _NEEDS_LOCAL)
    with TemporaryDirectory() as name:
        for key, value in storage_keys().items():
            (Path(name) / key).write_text(value, encoding="utf-8")
        prove_conditional_put(S3Store(config, Path(name)), config.prefix)
    where = config.endpoint or "AWS"
    return Finding(
        "bucket", "ok", f"{config.bucket} at {where} can be written, and its conditional put is atomic"
    )
