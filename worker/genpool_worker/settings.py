"""The worker's settings, by environment. What is about the pool comes from its ConfigMap, not from here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from genpool_core.errors import SettingsError


class WorkerSettings(BaseSettings):
    """Environment variables begin with ``GENPOOL_``. S3 credentials are boto3's own (``AWS_ACCESS_KEY_ID`` …)."""

    model_config = SettingsConfigDict(env_prefix="GENPOOL_", frozen=True, use_attribute_docstrings=True)

    config_dir: Path = Path("/etc/genpool")
    """Folder with ``pool.json`` and the workflow files: the pool's ConfigMap."""
    pod_name: str = Field(min_length=1)
    """Name of the pod; unique among the pool's workers."""
    broker_host: str = Field(min_length=1)
    """Host of RabbitMQ."""
    broker_port: int = Field(default=5672, ge=1, le=65_535)
    """AMQP port."""
    broker_tls: bool = False
    """Speak TLS."""
    broker_vhost: str = "/"
    """Vhost of the pool."""
    broker_username: str = Field(min_length=1)
    """User of the pool's workers."""
    broker_password: SecretStr
    """Its password."""
    comfyui_url: str = Field(default="http://127.0.0.1:8188", pattern=r"^http://[^/?#@]+$")
    """ComfyUI's address."""
    end_comfyui: bool = True
    """After a drain by SIGTERM, end the process that listens at ``comfyui_url``: the pod is going, and a ComfyUI that
    ignores SIGTERM would hold its GPU for the whole grace. Turn it off where ComfyUI is not the pod's own."""
    scratch_dir: Path = Path("/scratch")
    """Folder with ``input``, ``output`` and ``temp``, shared with ComfyUI."""
    http_port: int = Field(default=8080, ge=0, le=65_535)
    """Port of /healthz, /readyz and /metrics."""
    log_format: Literal["json", "console"] = "json"
    """How logs are written."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level that is logged."""


def load_settings() -> WorkerSettings:
    """Read the environment.

    Raises
    ------
    SettingsError
        A variable is missing or wrong; the sentence names it.
    """
    try:
        return WorkerSettings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = "GENPOOL_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"environment variable {name}: {first['msg']}. Set it and start again.") from None
