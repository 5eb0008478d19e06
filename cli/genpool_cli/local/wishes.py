"""What a person wants of ``genpool local up``, checked before anything is started."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genpool_adapters.manifest_files import manifests_of
from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_cli.errors import CliError, WrongUse
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import InvalidManifest
from genpool_core.manifests import read_manifests, workflow_files
from genpool_core.workerconfig import config_data
from genpool_core.workflow.read import read_workflow

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True)
class Wanted:
    """A pool that can be served."""

    pool: GenerationPool
    manifests: str
    """All documents of its file, as text."""
    config: Mapping[str, str]
    """The worker's ConfigMap."""


def read_pool(path: Path) -> Wanted:
    """The one pool of a file, with its workflows.

    Raises
    ------
    CliError
        There is none, or several, or it cannot work.
    """
    try:
        return _wanted(path)
    except InvalidManifest as error:
        raise CliError(f"{path}: {error.message}", reason=error.reason) from error
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.", reason="Unreadable") from error


def _wanted(path: Path) -> Wanted:
    found = read_manifests(manifests_of(path))
    for record in found.records:
        if record.error is not None:
            raise record.error
    if len(found.pools) != 1:
        raise InvalidManifest(
            f"it has {len(found.pools)} GenerationPools, and a ComfyUI works for one: give one pool several workflows, "
            "or start another `genpool local up` for another ComfyUI, with a --folder, --port and --comfyui of its own."
        )
    (pool,) = found.pools
    files = workflow_files(pool, found.maps, partial(shipped_files, default_workflows()))
    if isinstance(files, str):
        raise InvalidManifest(files)
    for name, each in files.items():
        read_workflow(name, each.template, each.parameters)
    return Wanted(pool, path.read_text(encoding="utf-8"), config_data(pool, files))


def storage_keys(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The keys of the bucket, from the variables that all programs for S3 read. Raises CliError."""
    found = {name: environment.get(name, "") for name in KEYS}
    if not all(found.values()):
        raise _wrong(f"the pool's bucket needs its keys: set {' and '.join(KEYS)} and start again.")
    return found


def broker_of(
    url: str, management: str | None, vhost: str, credentials: Path
) -> tuple[BrokerConfig, str, str]:
    """A broker by its URL, with user and password. Pure. Raises CliError."""
    parts = urlsplit(url)
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname or not parts.username:
        raise _wrong("--rabbitmq is written as amqp://USER:PASSWORD@HOST[:PORT].")
    tls = parts.scheme == "amqps"
    pages = management or f"{'https' if tls else 'http'}://{parts.hostname}:{15671 if tls else 15672}"
    broker = BrokerConfig(
        name="default",
        host=parts.hostname,
        port=parts.port or (5671 if tls else 5672),
        tls=tls,
        management_url=pages,
        credentials_path=str(credentials),
        vhosts=[vhost],
    )
    return broker, unquote(parts.username), unquote(parts.password or "")


def command_of(text: str, port: int) -> tuple[str, ...]:
    """The words of ``--comfyui-command``; ``{port}`` stands for where it should listen. Pure. Raises CliError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _wrong(f"--comfyui-command cannot be read ({error}).") from error
    if not words:
        raise _wrong("--comfyui-command is empty.")
    return tuple(word.replace("{port}", str(port)) for word in words)


def _wrong(sentence: str) -> WrongUse:
    return WrongUse(sentence[0].upper() + sentence[1:])
