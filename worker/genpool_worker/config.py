"""The pool's configuration and workflows, read once at start from the mounted ConfigMap."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from genpool_core.errors import SettingsError
from genpool_core.strict_json import JsonFault, decode_text
from genpool_core.validation import first_fault
from genpool_core.workerconfig import CONFIG_KEY, WorkerConfig
from genpool_core.workflow.catalog import Catalog, catalog_from, catalog_keys


def load_config(folder: Path) -> tuple[WorkerConfig, Catalog]:
    """Read ``pool.json`` and the files that it names.

    Raises
    ------
    SettingsError
        A file is missing or is not what it must be.
    InvalidManifest
        A workflow that cannot work.
    """
    path = folder / CONFIG_KEY
    try:
        config = WorkerConfig.model_validate_json(_read(path))
    except ValidationError as error:
        raise SettingsError(f"{path}: {first_fault(error)}. The operator writes this file.") from None
    return config, catalog_from(config, {key: _read(folder / key) for key in catalog_keys(config)})


def _read(path: Path) -> str:
    try:
        return decode_text(path.read_bytes())
    except JsonFault as fault:
        raise SettingsError(f"{path} {fault.what}. The operator writes this file.") from None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}): mount the pool's ConfigMap."
        ) from None
